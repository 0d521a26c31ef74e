# Thousands of files, and folders as deep as a path allows.
import errno, os

COUNT = 3000
os.mkdir("/many")
for i in range(COUNT):
    with open("/many/%d" % (i * 7919 % COUNT), "w") as f:
        f.write(str(i))
print(len(os.listdir("/many")), open("/many/7").read() == str([i for i in range(COUNT) if i * 7919 % COUNT == 7][0]))
seen = 0
for entry in os.ilistdir("/many"):  # removing what was listed does not disturb the listing
    os.remove("/many/" + entry[0])
    seen += 1
print(seen, os.listdir("/many"))
os.rmdir("/many")

path, depth = "", 0
try:
    while depth < 10000:
        os.mkdir(path + "/deep")
        path += "/deep"
        depth += 1
except OSError as e:
    print(errno.errorcode.get(e.errno, e.errno), depth > 100)
with open(path[:-5] + "/x", "w") as f:
    f.write("bottom")
print(open(path[:-5] + "/x").read(), len(os.listdir(path[:-5])))
os.remove(path[:-5] + "/x")
while path:
    os.rmdir(path)
    path = path[:-5]
print("deep" in os.listdir("/"))
for length in (255, 256, 5000):
    try:
        open("/" + "n" * length, "w").close()
        print(length, os.stat("/" + "n" * length)[6])
        os.remove("/" + "n" * length)
    except (OSError, ValueError) as e:
        print(length, repr(e))
