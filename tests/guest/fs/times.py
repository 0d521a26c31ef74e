# stat() tells when a file was written, by the wall clock.
import os, time

open("/t", "w").close()
first = os.stat("/t")
print(abs(first[8] - time.time()) <= 2, first[7:10] == (first[8],) * 3)
time.sleep_ms(2100)
with open("/t", "a") as f:
    f.write("x")
print(os.stat("/t")[8] - first[8] in (2, 3), os.stat("/t")[6])
open("/t").read()
print(os.stat("/t")[8] - first[8] in (2, 3))
os.remove("/t")
