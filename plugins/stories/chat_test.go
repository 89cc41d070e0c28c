package stories

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// page is an answer of the public listener: its body and its policy.
func (r *rig) page(path string) (text, policy string) {
	r.t.Helper()
	answer, err := http.Get("http://" + r.public + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d %v %s", path, answer.StatusCode, err, data)
	}
	return string(data), answer.Header.Get("Content-Security-Policy")
}

// TestChatIsReloaded: what an account's chat looks like and says is what the
// configuration says at the moment, a bad one changes nothing, and other sites get
// the script.
func TestChatIsReloaded(t *testing.T) {
	t.Parallel()
	r := newRig(t, setting{})
	r.reloads("[accounts.web]\n", `[accounts.shop]
adapter = "native"
role = "customer"
publishable_key = "pk_heron"
[accounts.shop.chat]
title = "Heron"
survey = true
pictures = ["https://img.heron.example"]
[accounts.shop.chat.texts.he]
greeting = "שלום"
[accounts.web]
`)
	const at = "/api/v1/chat?publishable_key=pk_heron"
	if text, _ := r.page(at); !strings.Contains(text, `"title":"Heron","theme":"auto","survey":true,"language":"en","pictures":["https://img.heron.example"],"texts":{"he":{"greeting":"שלום"}}`) {
		t.Errorf("the chat is %s", text)
	}
	if text, policy := r.page("/chat"); !strings.Contains(text, "pk_heron") || !strings.Contains(policy, "img-src 'self' data: https://img.heron.example;") {
		t.Errorf("the page has the policy %s", policy)
	}
	r.refuses(`title = "Heron"`, `color = "heron"`, "accounts.shop.chat.color", "is not a colour")
	r.reloads(`title = "Heron"`, `title = "Zebra"`, "survey = true", "survey = false", `pictures = ["https://img.heron.example"]`, "")
	if text, _ := r.page(at); !strings.Contains(text, `"title":"Zebra","theme":"auto","survey":false,"language":"en","texts"`) {
		t.Errorf("the chat is %s", text)
	}
	if _, policy := r.page("/chat"); strings.Contains(policy, "heron") {
		t.Errorf("the page has the policy %s", policy)
	}
	script, _ := r.page("/chat.js")
	_, from, _ := strings.Cut(script, `URL("`)
	address, _, _ := strings.Cut(from, `"`)
	if text, _ := r.page(address); !strings.Contains(text, "attachShadow") {
		t.Errorf("%s is %q", address, text)
	}
}
