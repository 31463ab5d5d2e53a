"""What the nodes need of the middleware: shared memory for images, a domain of their own."""
