"""What the code of a model can touch: its functions, classes, modules and variables, as models see
them.

Code written in Python is followed, wherever it stands: what runs is a copy whose names mean what
they mean in the model. Each class has a twin, each module a stand-in, and what code writes in them
is a location like any other.
"""
