# RSA signatures against published vectors, and what must fail.
# Source: NIST CAVP SigVer15_186-3.rsp and SigVerPSS_186-3.rsp, the first of some kinds with 2048 bits.
from binascii import unhexlify

import crypto

V15 = (  # bits of the hash, n, e, message, signature, whether it is good
    (256,
     "a911245a2cfb33d8ee375df9439f74e669c03a8d9acad25bd27acf3cd8bea7eb9dbe470155c7c72782c94861f7b573cd325639fb070e9ba6e621"
     "991aefa45106182e4d264be7068035595d7549052989b3e7fd04cabc94012c1278a0ef8672b1a51dd1a9e276816ba497dea24b4febe3dd8e9777"
     "07bcd230ca6fb6f8a8bff9e6ba24fbadcd93f00126b19b396a38e6ef86d18fef945b9154c1963fb488c7025953511f86d05638bfe056493730bc"
     "6778446e59cd3c5c3acf07a0a3a64943793652f10e3292aa7a6d25a03181cc6f6ba0658d909e59ce2a02bacc9766fd8c4fbd4ed9c23a866844b8"
     "a794d49e505f9f944870a71aadbe5338039825c2dff81af3",
     "010001",
     "6918d6328ca0a8b64bbe81d91cdea519911b59fc2dbd53af76006fec4b18a320787135ce883b2b2edb26041bf86aa52c230b9620335b6e7f9ec0"
     "8c7ed6b70823d819e9ab019e9929249f966fdb2069311a0ddc680ac468f514d4ed873b04a6beb0985b91a0cfd8ed51b09f9e6d06da739eaa939d"
     "5a00275901c4f8cf25076339",
     "794d0a45bc9fc6febb586e319dfa6924c888594802b9deb9668963fdb309bf02817960a7457106fc474f91601436e8954cbb6815350b2c51b53c"
     "968d2c48cc1799550d5d03b41f6e5a8c3c264d2e2fe0b5b8ff53fdcb9dd111c985cb488d7086e6548b4077ec00721c9cb500fe07a031c2030e8a"
     "d1dd0112c34ffd9091d77a187aac8661b298eee39eb615f9715c4c48a6762ede55a466ec7f3cdb6a937cfc80188a85d8f8d3a2a80b199ce5e637"
     "5af8f02f06d706a34d9cf38318903965db54aaa7d3fa7a7ee58034cd58c8435739c8906366e2ddba293f2fb2c15f07fa4951014471e7f677d3bd"
     "acffc4c68a906e08d68b39f9010746cbacd22980cee73e8d",
     True),
    (512,
     "a911245a2cfb33d8ee375df9439f74e669c03a8d9acad25bd27acf3cd8bea7eb9dbe470155c7c72782c94861f7b573cd325639fb070e9ba6e621"
     "991aefa45106182e4d264be7068035595d7549052989b3e7fd04cabc94012c1278a0ef8672b1a51dd1a9e276816ba497dea24b4febe3dd8e9777"
     "07bcd230ca6fb6f8a8bff9e6ba24fbadcd93f00126b19b396a38e6ef86d18fef945b9154c1963fb488c7025953511f86d05638bfe056493730bc"
     "6778446e59cd3c5c3acf07a0a3a64943793652f10e3292aa7a6d25a03181cc6f6ba0658d909e59ce2a02bacc9766fd8c4fbd4ed9c23a866844b8"
     "a794d49e505f9f944870a71aadbe5338039825c2dff81af3",
     "010001",
     "5cb7a0a74095a6f284a13d4392aac30a73a9211df0520bf2f7e9831240579fca2f7d8d24fdc8d4161306dcf8b678b13be92804598f7c7308d10c"
     "0ab3bfb1092a3adee799113498b76a500c3f64e8f8a4fa16d8012bf3354e576823daed410ff54383b7edc5007a3d5228d200e3221fac6e1ca6fc"
     "0adfd92e53a6d96f10303994",
     "25b408187418c512e7d36eac17edc64999e94011b4d5088ab926d29e433a69e24ebac43146a1371635fc78c3d215a66ea46d0a734b1607fdb9c3"
     "848a1404545ff60582abd579d978902ed399eb5dcdfacde0ca02145480246e1a22af5ddca7080aec216895d3528a8756e0c1a2059d392f87576f"
     "e896e411ddf02bd6be81ae2a654e0a15542a6b533b776703e2057b01ad02f5430d97c691f80219e46319de527541f0bfcf0b4e1b510059fa2077"
     "9eb44b1ef293b7a8318447ed25793037ddfd1877cd98514c81575613f36d946670f632779eaf629a593fe99110e781cb38101a3cbd54d7871983"
     "dbf868a00cfcb17bd330309d43b8df8d4f05eb4c43649cdf",
     True),
    (256,
     "a911245a2cfb33d8ee375df9439f74e669c03a8d9acad25bd27acf3cd8bea7eb9dbe470155c7c72782c94861f7b573cd325639fb070e9ba6e621"
     "991aefa45106182e4d264be7068035595d7549052989b3e7fd04cabc94012c1278a0ef8672b1a51dd1a9e276816ba497dea24b4febe3dd8e9777"
     "07bcd230ca6fb6f8a8bff9e6ba24fbadcd93f00126b19b396a38e6ef86d18fef945b9154c1963fb488c7025953511f86d05638bfe056493730bc"
     "6778446e59cd3c5c3acf07a0a3a64943793652f10e3292aa7a6d25a03181cc6f6ba0658d909e59ce2a02bacc9766fd8c4fbd4ed9c23a866844b8"
     "a794d49e505f9f944870a71aadbe5338039825c2dff81af3",
     "11",
     "8457c53956849cdb39bc8e7657d62a2cda9e13e1a5c3574142f1fd041c3add70efbab5207c7b78058196e9aae89b69bc3f330dc96804f44892d5"
     "d8da68f3e2cf87d3c3ec36f8006b51178d44877a9eabc6a2badaf2301110dd060fda74a9319136e91824ebc5dc179289a2cc9b3971025632419b"
     "ac0f55a20dcacb8ca92372be",
     "a2a2c0264dbb8b8810aae0b9ec7408553803dd02be6247358ce39f98f0c0f0339915347ff3c4dfee0e0a49b675ba69e376f3dbba56aae846cf7f"
     "986a0a5f37fc9971a58e3217cca26dffee8655f3025bd61776683feecdde546fa88fb881d619a8ec2daf092079a850340f6af41b2dd11d9935bb"
     "06c2253bdbd32a6fb8bd5317d3c9c3be5b683e7fd6366e1816895664d8ee312eca47ecf862be009d9df699a7d2f515c69e3093fd50a3babe9eba"
     "eab6267086a3185a908ea29af8eecf81e2be7c9c2ae33cb2380c73af264d24961b5c7711b0289e1a095f2966656ead1fed95b6c33d7082c3868f"
     "1f7b706f9442ddb76e3582f73e4839a0a110dbb78e9cfcc5",
     False),
)
PSS = (
    (256,
     "c6e0ed537a2d85cf1c4effad6419884d824ceabf5200e755691cb7328acd6a755fe85798502ccaec9e55d47afd0cf3258ebe920b50c5fd9d7289"
     "7462bd0e459bbdf902b63d17195b2ef54908980be12aa7489f8af274b92c0cbc16aed2fa46f782d5517b666edfb2e5e5efeaff7e24965e26472e"
     "51980b0cfe457d297e6aa5dacb8e728dc6f58130f925a13275c3cace62f820db1e13cc5274c58ff4d7837671a1bf5f80d6ad8699c568df8d24dd"
     "0f152ded36ef4861f59b354bba96a076913a25facf4722737e6deed95b69a00fb2bced0feeedea4ff01a92605cfe26a6b39553d0c74e5650eb37"
     "79705e135c4b2fa518a8d4339c53efab4bb0058238def555",
     "010001",
     "81eaf473d40896dbf4deac0f35c63bd1e129147c76e7aa8d0ef921631f55a7436411079f1bcc7b98714ac2c13b5e7326e60d918db1f05ffb19da"
     "767a95bb141a84c4b73664ccebf844f3601f7c853f009b21becba11af3106f1de5827b14e9fac84b2cbf16d18c045622acb260024768e8acc4c0"
     "ae2c0bd5f60a98023828cdec",
     "40d59ebc6cb7b960cbda0db353f9b85d77e7c03f84447fb8e91b96a5a7377abc329d1f55c85e0dbedbc2886ce191d9e2cf3be05b33d6bbd2ba92"
     "b85eee2ff89cd6ee29cd531e42016e6aba1d620fe55e44480c033e8a59c0852dd1caffbc2ce82969e3a9f44ceff79f89993b9ebf3741b2ccab0b"
     "9516f2e128656a5b2ad5251e20c6ce0c26a14eef7ee86458942ddbe95ccc1f67b253e43e72117f49595dab5ba423496ece12825435661112666d"
     "bae71aaffd5a8f1d58db9dc02e0d70fe3ac36a87b8eeed4f20c00fd4303f9f767d03bca1a619bbe4b08e4e53b5cb69d2ba0235063e04ca392334"
     "d9979a41c42a66ca8b9721edcf76989ba89f3a170bb2e485",
     True),
    (384,
     "c6e0ed537a2d85cf1c4effad6419884d824ceabf5200e755691cb7328acd6a755fe85798502ccaec9e55d47afd0cf3258ebe920b50c5fd9d7289"
     "7462bd0e459bbdf902b63d17195b2ef54908980be12aa7489f8af274b92c0cbc16aed2fa46f782d5517b666edfb2e5e5efeaff7e24965e26472e"
     "51980b0cfe457d297e6aa5dacb8e728dc6f58130f925a13275c3cace62f820db1e13cc5274c58ff4d7837671a1bf5f80d6ad8699c568df8d24dd"
     "0f152ded36ef4861f59b354bba96a076913a25facf4722737e6deed95b69a00fb2bced0feeedea4ff01a92605cfe26a6b39553d0c74e5650eb37"
     "79705e135c4b2fa518a8d4339c53efab4bb0058238def555",
     "010001",
     "32a7b1479acf505db793f3ebed953f4e31c9ecad1a3479df3af31e89ae7e0387f42eaf8efdfdc30f838ee85e9d6d06139197b7b1e93dfb85c9c5"
     "2dd17f12352a5c05001fc2432d1b7f39098d595ebe45eab8c721afa2a7ea5bccdb7971830d1e11338a42122af64a529e3fbf4af2cface6350648"
     "93ece7d5991111c8ab5bf12a",
     "0cb375ecc34a9f36b88bf56ebf1235387ffacfd3dd09c48e872897caca60af9e386496aafd0d4b1fd8fb4714fac925edda6f34633c3bb08f7cca"
     "3d9ad8b76472de8c9f91cb7518648d368fbeb31d1a7cb39a40a7b17ee2f7bace9bd99ba08295aadd856cd6902ee6c96d5c1291dc299a7f3528a8"
     "69f62fb8fbd51817ffe6490ed6e0007d7981ab12b8f4ce0d7432e8c3213fae2b81006f333714b513eba0414c161fab6ea23338567995f273e326"
     "9c44a587ad835c320d1e5ff553db4c47126680cd58293231915cf7aefb80690499243eda83f5347a300e070568baee2745b20c68688dad6e3807"
     "afcb34c72cdaeb9a571089c7f8c63d1b6ffdbe2fd13330e6",
     True),
    (384,
     "c6e0ed537a2d85cf1c4effad6419884d824ceabf5200e755691cb7328acd6a755fe85798502ccaec9e55d47afd0cf3258ebe920b50c5fd9d7289"
     "7462bd0e459bbdf902b63d17195b2ef54908980be12aa7489f8af274b92c0cbc16aed2fa46f782d5517b666edfb2e5e5efeaff7e24965e26472e"
     "51980b0cfe457d297e6aa5dacb8e728dc6f58130f925a13275c3cace62f820db1e13cc5274c58ff4d7837671a1bf5f80d6ad8699c568df8d24dd"
     "0f152ded36ef4861f59b354bba96a076913a25facf4722737e6deed95b69a00fb2bced0feeedea4ff01a92605cfe26a6b39553d0c74e5650eb37"
     "79705e135c4b2fa518a8d4339c53efab4bb0058238def555",
     "010001",
     "1205b76f8e4deafac46a981b1a768850ab72c548f82df1ebda67dc9abc3756b806aa4169dcadea99092d9941367c66e560f74f6289e688e6ada3"
     "1240f7ff8f5a35e155038a30c1f262f3cd08abb7e5d64331f75fac25ca1f0787904c40dfbe5b86f21bc6fe9e170db8065ffbe2efae2a3b6ae6c9"
     "cbb45f9dd25a7f46fea08bc4",
     "27ec0e9ffa5964788ca079759cd5560e50480bff6c85056e286996fdf933e1ce41754f4c6cd4d8600c37a7fa3dfc42d8b4e74905276a3c2e7ab4"
     "f246eb14f1ae74e885bb30a245d798323723ea80ad9f7a6199a43547f9e93106c44ab76e23eba7996f3a9c6ff7d128120be4749e7ec5bb36c2d4"
     "d86d2ec029c3a5a90c3a59c1778d9bb64dba623b26e9cf266c913d40a877e48a819f8237940d2642dffa23a08bcedff57300f883e316d84a6c18"
     "5afe9b8f0234dcba2c98cb640fc626dbb51332b258d1dee2da3ea7c08da52a9737d1282866a590fac8a23259c82f355c3e15e5450475234f8ad3"
     "b015b504c43e22936bdf90a68646e7185cdc72ee82fc460b",
     False),
)


def fails(kind, function, *args):
    try:
        function(*args)
    except kind:
        return
    print("no", kind.__name__, function, args)


for table, pss in ((V15, False), (PSS, True)):
    for bits, n, e, message, signature, good in table:
        n, e, message, signature = [unhexlify(text) for text in (n, e, message, signature)]
        digest = crypto.sha2(bits, message)
        assert crypto.rsa_verify(n, e, bits, digest, signature, pss) == good
        assert not crypto.rsa_verify(n, e, bits, digest, signature, not pss)
        assert not crypto.rsa_verify(n, e, bits, crypto.sha2(bits, b"other"), signature, pss)
        assert not crypto.rsa_verify(n, e, bits, digest, signature[1:], pss)
        assert not crypto.rsa_verify(n, e, bits, digest, signature + b"\0", pss)
        assert not crypto.rsa_verify(n, e, bits, digest, b"", pss)
        assert not crypto.rsa_verify(n, e, bits, digest, n, pss)  # not below n
        assert not crypto.rsa_verify(n, e, bits, digest, bytes(len(n)), pss)
        for i in range(0, len(signature), 85):
            wrong = signature[:i] + bytes((signature[i] ^ 4,)) + signature[i + 1 :]
            assert not crypto.rsa_verify(n, e, bits, digest, wrong, pss)
bits, n, e, message, signature = V15[0][:5]
n, e, signature, digest = unhexlify(n), unhexlify(e), unhexlify(signature), crypto.sha2(bits, unhexlify(message))
fails(ValueError, crypto.rsa_verify, n, e, 224, digest, signature)
fails(ValueError, crypto.rsa_verify, n, e, 512, digest, signature)
fails(ValueError, crypto.rsa_verify, n[:128], e, bits, digest, signature[:128])
fails(ValueError, crypto.rsa_verify, b"\1" + bytes(1023) + b"\1", e, bits, digest, bytes(1025))
fails(ValueError, crypto.rsa_verify, n, b"\2", bits, digest, signature)
fails(ValueError, crypto.rsa_verify, n, b"", bits, digest, signature)
fails(ValueError, crypto.rsa_verify, b"", e, bits, digest, signature)
fails(ValueError, crypto.rsa_verify, bytes(256), e, bits, digest, signature)
fails(TypeError, crypto.rsa_verify, 5, e, bits, digest, signature)
print("done")
