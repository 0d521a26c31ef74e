// Interned names that C spells otherwise than their text.
Q(/lib)
Q(shell.main)
Q(shell.nics)
