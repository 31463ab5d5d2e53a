"""Running networks outside of torch: export, cache of exports, run-time libraries."""
