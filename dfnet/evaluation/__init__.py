"""How good a picture is: tasks, methods, metrics, report."""
