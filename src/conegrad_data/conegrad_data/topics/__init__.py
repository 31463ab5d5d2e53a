"""Topics of a bag by their role, whatever names they were recorded under."""
