package openid

import "time"

// Age makes a Provider older than it is.
func Age(p *Provider, by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read, p.keys.read = p.read.Add(-by), p.keys.read.Add(-by)
}
