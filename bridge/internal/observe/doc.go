// Package observe lets people see what the bridge does: a logger whose every text passes the redactor, the metrics, and
// the admin listener with health, metrics and profiles.
package observe
