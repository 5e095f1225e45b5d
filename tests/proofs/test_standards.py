"""Public vectors: RFC 6962 and 9162, Jellyfish Merkle tree, RFC 8785, C2SP notes, Ed25519 edge cases."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kerege.proofs import canonical, ed25519, merkle, note, tree
from kerege.proofs.outcome import Malformed
from tests.proofs import naive

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"

needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason="../shared/vectors is absent")


def vectors(folder):
    return [pytest.param(p, id=str(p.relative_to(VECTORS))) for p in sorted((VECTORS / folder).rglob("*.json"))]


def hashes(items):
    return [base64.b64decode(item) for item in items or []]


@needs_vectors
@pytest.mark.parametrize("path", vectors("merkle/inclusion"))
def test_inclusion_of_transparency_dev(path):
    case = json.loads(path.read_text())
    leaf, root = (base64.b64decode(case[name] or "") for name in ("leafHash", "root"))
    try:
        reached = merkle.root_of_path(leaf, case["leafIdx"], case["treeSize"], hashes(case["proof"]))
    except Malformed:
        reached = None
    assert (reached == root) != case["wantErr"]


@needs_vectors
@pytest.mark.parametrize("path", vectors("merkle/consistency"))
def test_consistency_of_transparency_dev(path):
    case = json.loads(path.read_text())
    old, new = (base64.b64decode(case[name] or "") for name in ("root1", "root2"))
    assert merkle.is_consistent(case["size1"], case["size2"], old, new, hashes(case["proof"])) != case["wantErr"]


# Roots over the eight leaves of transparency-dev/merkle `testonly/constants.go` (Apache-2.0), sizes 1 … 8.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_and_paths_of_rfc_6962(size):
    leaves = [bytes.fromhex(leaf) for leaf in LEAVES[:size]]
    root = bytes.fromhex(ROOTS[size - 1])
    assert naive.log_root(leaves) == root
    for position, leaf in enumerate(leaves):
        path = naive.log_path({position}, leaves)
        leaf_hash = merkle.leaf_hash(leaf)
        assert merkle.root_of_path(leaf_hash, position, size, path) == root
        assert merkle.root_of_sides(leaf_hash, merkle.sides(position, size), path) == root


@needs_vectors
def test_roots_of_the_jellyfish_merkle_tree():
    cases = json.loads((VECTORS / "jmt" / "sha2_256_vectors.json").read_text())["vectors"]
    for case in cases:
        rows = {bytes.fromhex(row["key"]): bytes.fromhex(row["value"]) for row in case["data"]}
        hashed = {naive.sha(key): naive.sha(value) for key, value in rows.items()}
        root = bytes.fromhex(case["expected_root"])
        for key, value in rows.items():
            assert tree.root_of_present(key, value, naive.tree_path(hashed, naive.sha(key))[0]) == root
        siblings, found = naive.tree_path(hashed, naive.sha(b"elsewhere"))
        assert tree.root_of_absent(b"elsewhere", found, siblings) == root


def test_a_signed_note_of_c2sp():
    # The example of c2sp.org/signed-note as Go's sumdb/note documents it, with its key.
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    seed = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    signed = note.parse(f"{text}\n\u2014 PeterNeumann {line}\n")
    assert signed.body == text.encode()
    (signature,) = signed.signatures
    assert signature.name == "PeterNeumann"
    assert signature.key_id.hex() == "c74f20a3"
    assert note.key_id("PeterNeumann", public) == signature.key_id
    assert ed25519.is_signed(public, signed.body, signature.signature)
    assert note.assemble(signed.body, [("PeterNeumann", public, signature.signature)]) == (
        f"{text}\n\u2014 PeterNeumann {line}\n"
    )


def test_a_checkpoint_of_c2sp():
    # The example of c2sp.org/tlog-checkpoint.
    checkpoint = note.parse_checkpoint(
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "\u2014 example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert note.checkpoint_body(checkpoint.origin, checkpoint.size, checkpoint.root) == checkpoint.note.body


def test_the_example_of_rfc_8785():
    # §3.2.2: literals and string of the sample object; its numbers are fractions, which bundles do not hold.
    source = rb'{"string":"\u20ac$\u000F\u000aA' + rb"'\u0042\u0022\u005c\\\"\/" + rb'","literals":[null,true,false]}'
    expected = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical.encode(canonical.parse(source)) == expected.encode()


def test_the_member_order_of_rfc_8785():
    # §3.2.3.
    source = (
        rb'{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",'
        rb'"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}'
    )
    written = canonical.encode(canonical.parse(source))
    order = ["Carriage Return", "One", "Control", "Latin", "Euro Sign", "Emoji", "Hebrew"]
    places = [written.index(word.encode()) for word in order]
    assert places == sorted(places)
    assert canonical.decode(written) == canonical.parse(source)


@needs_vectors
def test_edge_cases_of_ed25519_speccheck():
    cases = json.loads((VECTORS / "ed25519" / "speccheck.json").read_text())
    verdicts = [
        ed25519.is_signed(*(bytes.fromhex(case[name]) for name in ("pub_key", "message", "signature")))
        for case in cases
    ]
    # Small order, cofactored only, S above the order, odd encodings: refused. Only 3, a mixed-order key with a
    # signature that the cofactorless equation of RFC 8032 accepts, cannot be told cheaply; nobody forges with it.
    assert verdicts == [number == 3 for number in range(12)]
