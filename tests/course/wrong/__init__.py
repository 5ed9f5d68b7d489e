"""Wrong answers to the homework, one module a homework; of each task by kind.

TASK_library calls the library's own function for what is asked, TASK_off is off by one, TASK_axis takes the wrong axis
or the wrong one of two numbers. What is hard-coded and what is not a number is made of the solution by masters.py.
"""
