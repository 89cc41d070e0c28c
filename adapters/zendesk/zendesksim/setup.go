package zendesksim

import (
	"crypto/rand"
	"net/http"
)

// setup are the calls of what an account is made of. paths/v2@apps@{appId}.yaml,
// …@switchboards*.yaml, …@integrations*.yaml, …@webhooks*.yaml.
func (s *Server) setup(mux *http.ServeMux) {
	const app = "/v2/apps/{app}"
	for pattern, do := range map[string]func(*call) answer{
		"GET " + app:                                                          s.app,
		"GET " + app + "/switchboards":                                        s.switchboards,
		"GET " + app + "/integrations":                                        s.integrations,
		"POST " + app + "/integrations":                                       s.newIntegration,
		"GET " + app + "/integrations/{id}/webhooks":                          s.webhooks,
		"POST " + app + "/integrations/{id}/webhooks":                         s.newWebhook,
		"GET " + app + "/switchboards/{board}/switchboardIntegrations":        s.listMembers,
		"POST " + app + "/switchboards/{board}/switchboardIntegrations":       s.newMember,
		"PATCH " + app + "/switchboards/{board}/switchboardIntegrations/{id}": s.changeMember,
	} {
		mux.HandleFunc(pattern, s.serve(do))
	}
}

func (s *Server) app(*call) answer {
	return ok(map[string]any{"app": map[string]any{"id": s.options.AppID, "displayName": "Acme", "settings": map[string]any{}, "metadata": map[string]any{}}})
}

// switchboards are the one there is. components/examples/switchboardCreateResponse.yaml.
func (s *Server) switchboards(*call) answer {
	return ok(map[string]any{"switchboards": []map[string]any{{"id": "board", "enabled": true, "defaultSwitchboardIntegrationId": s.members[0].id}}})
}

func (m *member) shown() map[string]any {
	return map[string]any{"id": m.id, "name": m.name, "integrationId": m.integration, "integrationType": m.kind(), "deliverStandbyEvents": m.standby}
}

func (s *Server) listMembers(*call) answer {
	list := []map[string]any{}
	for _, m := range s.members {
		list = append(list, m.shown())
	}
	return ok(map[string]any{"switchboardIntegrations": list})
}

// newMember puts an integration into the switchboard, which takes ten.
// components/requestBodies/switchboardIntegrationCreateBody.yaml.
func (s *Server) newMember(c *call) answer {
	name, integration := textField(c.Fields, "name"), textField(c.Fields, "integrationId")
	if name == "" || s.custom(integration) == nil || s.member(name) != nil || len(s.members) >= 10 {
		return wrong(http.StatusBadRequest, "bad_request")
	}
	standby, _ := c.Fields["deliverStandbyEvents"].(bool)
	m := &member{id: s.newID(), name: name, integration: integration, standby: standby}
	s.members = append(s.members, m)
	return created(map[string]any{"switchboardIntegration": m.shown()})
}

func (s *Server) changeMember(c *call) answer {
	m := s.member(c.PathValue("id"))
	if m == nil {
		return wrong(http.StatusNotFound, "switchboard_integration_not_found")
	}
	m.standby, _ = c.Fields["deliverStandbyEvents"].(bool)
	return ok(map[string]any{"switchboardIntegration": m.shown()})
}

func (s *Server) custom(id string) *custom {
	for _, c := range s.customs {
		if c.id == id {
			return c
		}
	}
	return nil
}

// shown is an integration; the secrets of its webhooks are told.
// components/schemas/integrations/custom.yaml.
func (c *custom) shown() map[string]any {
	list := []map[string]any{}
	for _, h := range c.hooks {
		list = append(list, h.shown())
	}
	return map[string]any{"id": c.id, "type": "custom", "status": "active", "displayName": c.name, "webhooks": list}
}

func (s *Server) integrations(*call) answer {
	list := []map[string]any{}
	for _, c := range s.customs {
		list = append(list, c.shown())
	}
	return ok(map[string]any{"integrations": list, "meta": map[string]any{"hasMore": false}})
}

func (s *Server) newIntegration(c *call) answer {
	if textField(c.Fields, "type") != "custom" {
		return wrong(http.StatusBadRequest, "bad_request")
	}
	made := &custom{id: s.newID(), name: textField(c.Fields, "displayName")}
	hooks, _ := c.Fields["webhooks"].([]any)
	for _, one := range hooks {
		fields, _ := one.(map[string]any)
		made.hooks = append(made.hooks, s.hook(fields))
	}
	s.customs = append(s.customs, made)
	return created(map[string]any{"integration": made.shown()})
}

// hook makes a webhook; its secret is Zendesk's choice.
// components/requestBodies/webhookCreateBody.yaml.
func (s *Server) hook(fields map[string]any) *hook {
	h := &hook{id: s.newID(), target: textField(fields, "target"), secret: "secret-" + rand.Text()}
	list, _ := fields["triggers"].([]any)
	for _, one := range list {
		if name, ok := one.(string); ok {
			h.triggers = append(h.triggers, name)
		}
	}
	return h
}

func (h *hook) shown() map[string]any {
	return map[string]any{"id": h.id, "version": "v2", "target": h.target, "triggers": h.triggers, "secret": h.secret}
}

func (s *Server) webhooks(c *call) answer {
	of := s.custom(c.PathValue("id"))
	if of == nil {
		return wrong(http.StatusNotFound, "integration_not_found")
	}
	return ok(map[string]any{"webhooks": of.shown()["webhooks"]})
}

func (s *Server) newWebhook(c *call) answer {
	of := s.custom(c.PathValue("id"))
	if of == nil || len(of.hooks) >= 10 {
		return wrong(http.StatusBadRequest, "bad_request")
	}
	h := s.hook(c.Fields)
	of.hooks = append(of.hooks, h)
	return created(map[string]any{"webhook": h.shown()})
}
