// Package ingress serves the endpoints vendors call. It checks who calls and
// whether the call can be read, has it stored, and only then answers.
package ingress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/internal/credential"
	"github.com/footbridge/footbridge/bridge/internal/engine"
	"github.com/footbridge/footbridge/bridge/internal/signature"
)

const (
	defaultMaxBody = 256 << 10
	defaultWithin  = 10 * time.Second
)

// Account is what the doors must know of one account.
type Account struct {
	Name      string
	Endpoints []adapter.Endpoint
	// Secrets are the account's credentials by name. NAME_previous, where there is
	// one, is as good as NAME: the old key while it is exchanged.
	Secrets map[string]credential.Secret
	// PublicURL is where the account's endpoints are for the vendor, for signatures
	// over the address; "" where the world's address of the bridge is not known.
	PublicURL string
	// Inbound is the scheme of the account's own inbound credential, for
	// vendors that send none: "query:NAME" or "header:NAME".
	Inbound string
	// AllowUnauthenticated opens endpoints without any credential to everybody.
	AllowUnauthenticated bool
	// Hosts are names under which the endpoints are served at the root too.
	Hosts []string
	// Mask lists JSON pointers of bodies that are replaced before anybody stores
	// or sees them.
	Mask []string
}

// Accepter stores requests and answers them; the engine is one.
type Accepter interface {
	Accept(context.Context, engine.Arrival) (engine.Receipt, error)
	Await(context.Context, engine.Receipt) (adapter.Reply, bool)
	Written(r engine.Receipt, ok bool)
}

// Connecter takes sockets; the engine is one.
type Connecter interface {
	Connect(context.Context, engine.Arrival, engine.Link) error
}

// Options are what an Ingress is made of.
type Options struct {
	Engine Accepter
	// Sockets may be nil where no account serves any.
	Sockets Connecter
	// Minter checks the tokens the bridge handed out itself.
	Minter *credential.Minter
	Logger *slog.Logger
	// TrustedProxies are peers whose forwarding headers name the caller.
	TrustedProxies []netip.Prefix
	// BodyWithin is how long a body may take besides the time its bytes take at
	// the least rate; 10 s if unset.
	BodyWithin time.Duration
	// Received and Refused count requests; they may be nil.
	Received func(account, endpoint string, r engine.Receipt)
	Refused  func(account, reason string)
}

// Ingress is the handler of /in/ and of the accounts' own hosts. It is safe for
// concurrent use.
type Ingress struct {
	o      Options
	routes atomic.Pointer[http.ServeMux]
	doors  atomic.Pointer[map[string]*door] // by doorName
	pace   atomic.Pointer[pace]
}

// New makes an Ingress that serves no account yet.
func New(o Options) *Ingress {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	i := &Ingress{o: o}
	i.Configure(nil)
	i.Limit(Rates{})
	return i
}

// Configure replaces the accounts served.
func (i *Ingress) Configure(accounts []Account) {
	mux, doors := http.NewServeMux(), map[string]*door{}
	for _, a := range accounts {
		for _, e := range a.Endpoints {
			d := i.door(a, e)
			doors[doorName(a.Name, e.Name)] = d
			if e.Path == "" {
				continue
			}
			i.serve(mux, "/in/"+a.Name+e.Path, d)
			for _, host := range a.Hosts {
				i.serve(mux, host+e.Path, d)
			}
		}
	}
	i.routes.Store(mux)
	i.doors.Store(&doors)
}

// doorName is an endpoint of an account, for what does not come by a path.
func doorName(account, endpoint string) string { return account + "/" + endpoint }

// serve adds an endpoint. One that cannot be served beside the others, or at
// all, is left out: paths come from plugins.
func (i *Ingress) serve(mux *http.ServeMux, where string, d *door) {
	defer func() {
		if why := recover(); why != nil {
			i.o.Logger.Error("endpoint is not served", "account", d.account.Name, "endpoint", d.endpoint.Name, "reason", fmt.Sprint(why),
				"mend", "give the account hosts of its own, or mend the adapter's path")
		}
	}()
	if strings.HasSuffix(where, "/") {
		where += "{$}" // this path, and none below it
	}
	mux.Handle(d.endpoint.Method+" "+where, d)
}

// Serves reports whether the request is for a vendor endpoint: below /in/ or at
// an account's own host.
func (i *Ingress) Serves(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/in/") {
		return true
	}
	_, pattern := i.routes.Load().Handler(r)
	return pattern != ""
}

// ServeHTTP finds the endpoint. Paths that are not in their plain form are not
// found: nothing is redirected.
func (i *Ingress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(r.TransferEncoding) > 0 {
		// It may have had a length too, and another reader's idea of its end.
		w.Header().Set("Connection", "close")
	}
	if plain := path.Clean(r.URL.Path); plain != r.URL.Path && plain+"/" != r.URL.Path || strings.ContainsFunc(r.URL.Path, unicode.IsControl) ||
		strings.Contains(strings.ToLower(r.URL.RawPath), "%2f") {
		i.refuse(w, "", "path", problem(http.StatusNotFound, "not found"))
		return
	}
	mux := i.routes.Load()
	if _, found := mux.Handler(r); found == "" && i.o.Refused != nil {
		i.o.Refused("", "path")
	}
	mux.ServeHTTP(w, r)
}

func (i *Ingress) refuse(w http.ResponseWriter, account, reason string, r adapter.Reply) {
	if i.o.Refused != nil {
		i.o.Refused(account, reason)
	}
	write(w, r)
}

// door is one endpoint of one account.
type door struct {
	i        *Ingress
	account  Account
	endpoint adapter.Endpoint
	// signed is set where the vendor signs what it sends; it checks nothing where
	// the account has no key, and then nothing is right.
	signed   bool
	verifier *signature.Verifier
}

// refusal is a request turned away: why, for the counter, and the answer.
type refusal struct {
	reason string
	reply  adapter.Reply
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.endpoint.Transport != "" {
		d.connect(w, r)
		return
	}
	f, no := d.receive(w, r)
	if no == nil && d.challenged(w, f) {
		return
	}
	var arrivals []engine.Arrival
	if no == nil {
		arrivals, no = d.arrivals(f)
	}
	if no == nil {
		no = d.paced()
	}
	var receipt engine.Receipt
	if no == nil {
		receipt, no = d.storeAll(r.Context(), arrivals)
	}
	if no != nil {
		d.i.refuse(w, d.account.Name, no.reason, no.reply)
		return
	}
	if d.endpoint.Answer != adapter.AnswerReply {
		write(w, orElse(d.endpoint.Default, adapter.Reply{Status: http.StatusOK, Body: []byte("{}")}))
		return
	}
	d.answer(w, r, receipt, arrivals[0].Request.ReplyBy)
}

// storeAll has the engine take the requests, and gives the receipt of the last. Of a
// list those are left out whose key nobody has; what cannot be stored now is for the
// vendor to send again with all the others, which then are known.
func (d *door) storeAll(ctx context.Context, arrivals []engine.Arrival) (last engine.Receipt, no *refusal) {
	for _, a := range arrivals {
		receipt, err := d.i.o.Engine.Accept(ctx, a)
		switch {
		case err == nil:
			last = receipt
			d.received(receipt)
		case d.endpoint.Batch != "" && errors.Is(err, engine.ErrUnknownKey):
			d.leftOut("unknown_key")
		default:
			return last, d.notStored(err)
		}
	}
	return last, nil
}

func (d *door) received(r engine.Receipt) {
	if d.i.o.Received != nil {
		d.i.o.Received(d.account.Name, d.endpoint.Name, r)
	}
}

// leftOut counts what of a list is not taken.
func (d *door) leftOut(reason string) {
	if d.i.o.Refused != nil {
		d.i.o.Refused(d.account.Name, reason)
	}
}

// answer waits for the reply of the turn and writes it, or the endpoint's
// declared failure.
func (d *door) answer(w http.ResponseWriter, r *http.Request, receipt engine.Receipt, by time.Time) {
	const grace = time.Second // the engine knows the deadline too, and decides first
	ctx, cancel := context.WithDeadline(r.Context(), by.Add(grace))
	defer cancel()
	reply, ok := d.i.o.Engine.Await(ctx, receipt)
	if r.Context().Err() != nil {
		d.i.o.Engine.Written(receipt, false)
		return
	}
	if !ok {
		d.i.o.Engine.Written(receipt, false) // one that comes yet is for the vendor's next try
		write(w, orElse(d.endpoint.Failure, problem(http.StatusServiceUnavailable, "no answer in time")))
		return
	}
	err := write(w, reply)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	d.i.o.Engine.Written(receipt, err == nil)
}

// notStored says how a request that was not stored is answered. The vendor may
// try again; nothing was acknowledged.
func (d *door) notStored(err error) *refusal {
	switch {
	case errors.Is(err, engine.ErrUnknownKey) && d.endpoint.Unknown == adapter.UnknownRefuse:
		return &refusal{"unknown_key", orElse(d.endpoint.Refusal, problem(http.StatusNotFound, "not found"))}
	case errors.Is(err, engine.ErrUnknownKey):
		return &refusal{"unknown_key", orElse(d.endpoint.Default, adapter.Reply{Status: http.StatusOK, Body: []byte("{}")})}
	case errors.Is(err, engine.ErrBusy), errors.Is(err, engine.ErrClosed):
		return &refusal{"busy", retryLater()}
	case errors.Is(err, engine.ErrDrained):
		return &refusal{"drained", retryLater()}
	}
	d.i.o.Logger.Error("request not stored", "account", d.account.Name, "endpoint", d.endpoint.Name, "error", err)
	return &refusal{"journal", retryLater()}
}

func retryLater() adapter.Reply {
	r := problem(http.StatusServiceUnavailable, "try again")
	r.Header.Set("Retry-After", strconv.Itoa(int(engine.RetryAfter().Seconds())))
	return r
}

// receive reads a request as far as it is known who sends it, and then whether it
// is what the endpoint takes.
func (d *door) receive(w http.ResponseWriter, r *http.Request) (*fields, *refusal) {
	f := &fields{r: r}
	inBody := strings.HasPrefix(d.endpoint.Auth, "body:")
	var no *refusal
	if !inBody {
		f.bound, no = d.authenticate(r, nil)
	}
	if no == nil {
		no = d.mediaType(r)
	}
	if no == nil {
		f.body, no = d.body(w, r)
	}
	if no == nil && d.signed {
		f.mark, no = d.verify(f)
	}
	if no == nil && d.endpoint.Form != "" {
		no = f.unwrap(d.endpoint.Form)
	}
	if no == nil && !d.endpoint.Raw {
		if err := f.parse(); err != nil {
			no = unreadable(err)
		}
	}
	if no == nil && inBody {
		f.bound, no = d.authenticate(r, f.doc)
	}
	return f, no
}

func unreadable(err error) *refusal {
	return &refusal{"syntax", problem(http.StatusBadRequest, "body is not valid: "+err.Error())}
}

func (d *door) mediaType(r *http.Request) *refusal {
	wanted := "application/json"
	if d.endpoint.Form != "" {
		wanted = "application/x-www-form-urlencoded"
	}
	no := &refusal{"media_type", problem(http.StatusUnsupportedMediaType, "send "+wanted+", without content encoding")}
	for _, enc := range r.Header.Values("Content-Encoding") {
		if !strings.EqualFold(enc, "identity") {
			return no
		}
	}
	if d.endpoint.Raw {
		return nil
	}
	if len(r.Header.Values("Content-Type")) > 1 {
		return no
	}
	name, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || name != wanted || params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8") {
		return no
	}
	return nil
}

func (d *door) body(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	body, err := io.ReadAll(&hasty{body: http.MaxBytesReader(w, r.Body, d.most()), conn: http.NewResponseController(w), within: d.i.o.BodyWithin, start: time.Now()})
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &tooLarge):
		return nil, d.tooLarge()
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, &refusal{"slow", problem(http.StatusRequestTimeout, "body did not arrive in time")}
	case err != nil:
		return nil, &refusal{"body", problem(http.StatusBadRequest, "body could not be read")}
	}
	return body, nil
}

// most is the limit of a body in bytes.
func (d *door) most() int64 {
	if d.endpoint.MaxBody <= 0 {
		return defaultMaxBody
	}
	return d.endpoint.MaxBody
}

func (d *door) tooLarge() *refusal {
	return &refusal{"too_large", problem(http.StatusRequestEntityTooLarge, "body is larger than "+strconv.FormatInt(d.most(), 10)+" bytes")}
}

// request is the request as the adapter sees it: without credentials.
func (d *door) request(r *http.Request, body []byte) adapter.Request {
	header, query := r.Header.Clone(), r.URL.Query()
	for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
		header.Del(name)
	}
	header.Del(d.endpoint.Signature.Header)
	for _, scheme := range []string{d.account.Inbound, authScheme(d.endpoint.Auth)} {
		kind, name, _ := strings.Cut(scheme, ":")
		switch kind {
		case "header":
			header.Del(name)
		case "query":
			query.Del(name)
		}
	}
	for _, place := range d.endpoint.Tokens {
		if name, ok := strings.CutPrefix(place, "query:"); ok {
			query.Del(name)
		}
	}
	in := adapter.Request{Endpoint: d.endpoint.Name, Method: r.Method, Query: query, Header: header, Body: body,
		Path: strings.TrimPrefix(r.URL.Path, "/in/"+d.account.Name)}
	if d.endpoint.Answer == adapter.AnswerReply {
		within := d.endpoint.Within
		if within <= 0 {
			within = defaultWithin
		}
		in.ReplyBy = time.Now().UTC().Add(within)
	}
	return in
}
