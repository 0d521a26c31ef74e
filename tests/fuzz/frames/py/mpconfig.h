// Stands for MicroPython's header of this name, of which the fuzzed code uses nothing.
