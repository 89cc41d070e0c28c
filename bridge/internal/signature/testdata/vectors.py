"""Writes vectors.json: signed requests made by another implementation (the hmac
of Python, RSA of openssl), for the verifiers to be held to."""
import base64, hashlib, hmac, json, os, subprocess, tempfile, urllib.parse

NOW = 1750000000
SECRET = "a shared secret, 32 bytes or more"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://bridge.example:8443/in/desk/hook?b=2&a=1"
BODIES = [b"", b"{}", b"null", b"[]", b"0", b'{"id":"1","text":"hello"}', b'{"id":"1","text":"hello"}\n', b'{"a":1,"a":2}',
          "{\"t\":\"gr\u00fc\u00dfe \U0001f44b\"}".encode(), b"\xff\xfe\x00", b"\x00", b"a\r\nb", b" {} ", b"v0:1:{}", b".",
          b'{"n":9007199254740993}', b'{"x":"' + b"y" * 700 + b'"}', b"a=1&b=2", b"%7B%7D", b"\xef\xbb\xbf{}"]
FORMS = [b"", b"A=1", b"B=2&A=1", b"a=1&B=2&A=3", b"Body=hello+there&From=%2B14155550100", b"Empty=&Full=x", b"Text=gr%C3%BC%C3%9Fe",
         b"Sid=AB0123456789abcdef", b"x=%26%3D", b"Media0=https%3A%2F%2Fa.example%2Fb&NumMedia=1"] + [b"Field%d=value+%d&Also=%d" % (i, i, i) for i in range(10)]

def b64(b): return base64.b64encode(b).decode()
def url64(b): return base64.urlsafe_b64encode(b).rstrip(b"=").decode()
def mac(algorithm, key, text): return hmac.new(key, text, algorithm).digest()

folder = tempfile.mkdtemp()
private = os.path.join(folder, "key.pem")
subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
PUBLIC = subprocess.run(["openssl", "rsa", "-in", private, "-pubout"], check=True, capture_output=True).stdout.decode()
def rsa(text): return subprocess.run(["openssl", "dgst", "-sha256", "-sign", private], input=text, check=True, capture_output=True).stdout
def token(head, claims, sign):
    text = url64(json.dumps(head).encode()) + "." + url64(json.dumps(claims).encode())
    return text + "." + url64(sign(text.encode()))

def form(body):
    return "".join(k + v for k, v in sorted(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))).encode()

S = SECRET.encode()
def at(i): return str(NOW + i * 7 % 299 - 150)
SCHEMES = {
    "hmac-sha256 hex over body": ({"algorithm": "hmac-sha256", "header": "X-Signature", "prefix": "sha256=", "encoding": "hex", "over": "{body}"}, SECRET,
        lambda b, i: {"X-Signature": "sha256=" + mac("sha256", S, b).hex()}),
    "hmac-sha256 base64 over body": ({"algorithm": "hmac-sha256", "header": "X-Signature", "prefix": "sha256=", "encoding": "base64", "over": "{body}"}, SECRET,
        lambda b, i: {"X-Signature": "sha256=" + b64(mac("sha256", S, b))}),
    "hmac-sha1 hex over body": ({"algorithm": "hmac-sha1", "header": "X-Signature", "prefix": "sha1=", "encoding": "hex", "over": "{body}"}, SECRET,
        lambda b, i: {"X-Signature": "sha1=" + mac("sha1", S, b).hex()}),
    "hmac-sha256 hex over time.body": ({"algorithm": "hmac-sha256", "header": "X-Signature", "prefix": "sha256=", "encoding": "hex", "over": "{time}.{body}", "time_header": "X-Timestamp"}, SECRET,
        lambda b, i: {"X-Timestamp": at(i), "X-Signature": "sha256=" + mac("sha256", S, at(i).encode() + b"." + b).hex()}),
    "hmac-sha256 hex over v0:time:body": ({"algorithm": "hmac-sha256", "header": "X-Signature", "prefix": "v0=", "encoding": "hex", "over": "v0:{time}:{body}", "time_header": "X-Timestamp"}, SECRET,
        lambda b, i: {"X-Timestamp": at(i), "X-Signature": "v0=" + mac("sha256", S, b"v0:" + at(i).encode() + b":" + b).hex()}),
    "hmac-sha256 base64 over id.time.body": ({"algorithm": "hmac-sha256", "header": "Webhook-Signature", "prefix": "v1,", "separator": " ", "encoding": "base64", "over": "{id}.{time}.{body}",
        "time_header": "Webhook-Timestamp", "id_header": "Webhook-Id", "key_encoding": "base64", "key_prefix": "whsec_"}, WHSEC,
        lambda b, i: {"Webhook-Id": "msg_%d" % i, "Webhook-Timestamp": at(i), "Webhook-Signature": "v1a,bm9uZQ== v1," +
            b64(mac("sha256", base64.b64decode(WHSEC[6:]), ("msg_%d.%s." % (i, at(i))).encode() + b))}),
    "hmac-sha256 base64 over method url body time": ({"algorithm": "hmac-sha256", "header": "X-Signature", "encoding": "base64", "over": "{method}{url}{body}{time}", "time_header": "X-Timestamp", "time_unit": "ms"}, SECRET,
        lambda b, i: {"X-Timestamp": at(i) + "123", "X-Signature": b64(mac("sha256", S, b"POST" + URL.encode() + b + (at(i) + "123").encode()))}),
    "hmac-sha1 base64 over url form": ({"algorithm": "hmac-sha1", "header": "X-Signature", "encoding": "base64", "over": "{url}{form}"}, SECRET,
        lambda b, i: {"X-Signature": b64(mac("sha1", S, URL.encode() + form(b)))}),
    "rsa-sha256 base64 over body": ({"algorithm": "rsa-sha256", "header": "X-Signature", "encoding": "base64", "over": "{body}"}, PUBLIC,
        lambda b, i: {"X-Signature": b64(rsa(b))}),
    "jwt-rs256": ({"algorithm": "jwt-rs256", "header": "Authorization", "prefix": "Bearer ", "issuer": "https://issuer.example", "audience": "our-app"}, PUBLIC,
        lambda b, i: {"Authorization": "Bearer " + token({"alg": "RS256", "typ": "JWT", "kid": "k%d" % i},
            {"iss": "https://issuer.example", "aud": "our-app" if i % 2 else ["other", "our-app"], "exp": NOW + 60 + i, "nbf": NOW - 5, "iat": NOW - 5}, rsa)}),
    "jwt-hs256 with body claim": ({"algorithm": "jwt-hs256", "header": "Authorization", "prefix": "Bearer ", "body_claim": "payload_hash"}, SECRET,
        lambda b, i: {"Authorization": "Bearer " + token({"alg": "HS256", "typ": "JWT"},
            {"iat": NOW - i, "exp": NOW + 300, "jti": str(i), "payload_hash": hashlib.sha256(b).hexdigest()}, lambda t: mac("sha256", S, t))}),
}
out = {"now": NOW, "method": "POST", "url": URL, "schemes": []}
for name, (rule, key, sign) in SCHEMES.items():
    bodies = FORMS if "form" in rule.get("over", "") else BODIES
    out["schemes"].append({"name": name, "rule": rule, "key": key,
        "requests": [{"header": sign(b, i), "body": b64(b)} for i, b in enumerate(bodies)]})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.json"), "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
