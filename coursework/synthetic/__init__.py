"""A class of students who don't exist, and what each should get: perfect, wrong, and hostile."""
