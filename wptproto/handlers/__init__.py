"""What answers: routes, functions, scripts and files."""
