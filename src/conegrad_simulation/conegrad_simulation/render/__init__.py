"""The camera renderer."""
