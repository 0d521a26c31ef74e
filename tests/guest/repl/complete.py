# _repl.complete as the python command uses it, and the question whether a statement goes on.
import _repl
import sys, __main__

__main__.alpha_one = __main__.alpha_two = 1
for text in ("alph", "alpha_o", "alpha_one", "sys.implem", "import cp", "import asyn", "from ti", "nothing_like_it", "x = sys.byteo", ""):
    found = _repl.complete(text)
    print(repr(text), found if isinstance(found, str) else sorted(found)[:4])
for text in ("", "1", "if x:", "if x:\n  1", "if x:\n  1\n", "(", "(1)", "[{", "'", '"""', '"""\n"""', "@d", "x = \\", "class A:", "def f(): pass", "for x in y:", "é("):
    print(repr(text), _repl.incomplete(text))
for function, wrong in ((_repl.complete, 1), (_repl.incomplete, None), (_repl.raw, 7)):
    try:
        function(wrong)
        print("accepted")
    except TypeError as e:
        print("TypeError")
