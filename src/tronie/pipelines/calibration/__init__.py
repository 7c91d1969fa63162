"""Learning, on the user's own machine, how to fit a head model that the user brought along.

`places` lays the model onto our own head, `embed` finds where the landmark net's points lie on it, `pictures` draws
random people of it, `look` has the real landmark net look at them, `learn` makes a calibration of what it says; `job`
is all of it, and `kept` is where the result lies.
"""
