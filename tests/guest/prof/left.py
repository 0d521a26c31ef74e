# Sampling that nobody stops ends with the interpreter; the next test has a machine that works.
import _prof

_prof.start(10000)
x = [i * i for i in range(10000)]
print(_prof.running(), len(x))
