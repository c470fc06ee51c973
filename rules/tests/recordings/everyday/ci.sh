# Tests, as CI runs them: a repository, temporary files, a server on the loopback.
cd /root/build || exit 1
git init -q . && git -c user.name=u -c user.email=u@h add -A && git -c user.name=u -c user.email=u@h commit -qm one
git clone -q /root/build /root/checkout && cd /root/checkout || exit 1
make test && git log --format=%h | cat
python3 - <<'PY'
import http.server, os, subprocess, tempfile, threading, urllib.request
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/Makefile").read()
with tempfile.TemporaryDirectory() as folder:
    open(os.path.join(folder, "x"), "w").write("x")
    subprocess.run(["sh", "-c", f"cp {folder}/x {folder}/y; test -s {folder}/y"], check=True)
PY
curl -s http://127.0.0.1:1/ || true
openssl rand -hex 8
