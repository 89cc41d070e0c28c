'use strict'

const $ = id => document.getElementById(id)
const made = (tag, text, of = {}) => Object.assign(document.createElement(tag), { textContent: text }, of)

let acts = []
let all = []
let chosen = ''
let shown = ''

async function ask(path, order) {
  const answer = await fetch('/simdesk/' + path, order && { method: 'POST', body: JSON.stringify(order), headers: { 'Content-Type': 'application/json' } })
  if (answer.status === 204) return {}
  const body = await answer.json()
  if (!answer.ok) throw new Error(body.error)
  return body
}

function list() {
  $('none').hidden = all.length > 0
  $('list').replaceChildren(...all.toReversed().map(c => {
    const item = document.createElement('li')
    const button = made('button', `${c.customer || 'Somebody'} · ${c.status}${c.with ? ' · ' + c.with : ''}`, { type: 'button' })
    button.dataset.id = c.id
    button.setAttribute('aria-current', c.id === chosen)
    button.onclick = () => { chosen = c.id; draw(); $('text').focus() }
    item.append(button)
    return item
  }))
}

function file(f) {
  return f.url ? made('a', f.name, { href: f.url, download: f.name }) : made('span', f.name)
}

function line(l) {
  const item = made('li', '', { className: l.kind })
  const who = l.kind === 'note' ? `${l.author}, note` : l.author
  item.append(made('b', who, { title: new Date(l.at).toLocaleString() }), l.text, ...(l.files ?? []).flatMap(f => [' ', file(f)]))
  return item
}

function conversation(c) {
  $('customer').textContent = c.customer || 'Somebody'
  $('state').textContent = [c.status, c.with ? 'with ' + c.with : 'nobody has it', c.typing ? 'the customer writes' : '', c.read ? 'the customer has read' : ''].filter(Boolean).join(' · ')
  $('facts').replaceChildren(...Object.entries(c.facts ?? {}).sort().map(([name, value]) => {
    const pair = document.createElement('div')
    pair.append(made('dt', name), made('dd', value))
    return pair
  }))
  const lines = $('lines')
  const below = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40
  lines.replaceChildren(...(c.lines ?? []).map(line))
  if (below) lines.scrollTop = lines.scrollHeight
}

function draw() {
  const focus = document.activeElement?.dataset?.id
  list()
  if (focus) document.querySelector(`[data-id="${CSS.escape(focus)}"]`)?.focus()
  const c = all.find(c => c.id === chosen)
  $('main').hidden = !c
  if (c) conversation(c)
}

function ready() {
  for (const a of acts) {
    $('act-' + a.name).disabled = a.words && !$('text').value.trim() && !(a.files && $('file').files.length)
  }
}

async function attached(act) {
  const one = $('file').files[0]
  if (!act.files || !one) return undefined
  const bytes = new Uint8Array(await one.arrayBuffer())
  let text = ''
  for (const b of bytes) text += String.fromCharCode(b)
  return { name: one.name, mime: one.type || 'application/octet-stream', data: btoa(text) }
}

async function act(a) {
  $('fault').textContent = ''
  try {
    await ask('acts/' + a.name, { conversation: chosen, person: $('person').value, text: a.words ? $('text').value.trim() : '', file: await attached(a) })
    if (a.words) {
      $('text').value = ''
      if (a.files) $('file').value = ''
    }
    await look()
  } catch (fault) {
    $('fault').textContent = fault.message
  }
  ready()
}

async function look() {
  const now = (await ask('conversations')).conversations
  const text = JSON.stringify(now)
  if (text === shown) return
  shown = text
  all = now
  if (!all.some(c => c.id === chosen)) chosen = all.at(-1)?.id ?? ''
  draw()
}

async function watch() {
  try {
    await look()
    if ($('fault').dataset.away) delete $('fault').dataset.away, $('fault').textContent = ''
  } catch {
    $('fault').dataset.away = '1'
    $('fault').textContent = 'The simulator does not answer.'
  }
  setTimeout(watch, 500)
}

async function begin() {
  const desk = await ask('desk')
  document.title = $('title').textContent = desk.title + ', simulated'
  acts = desk.acts
  $('person').replaceChildren(...desk.people.map(p => made('option', p.name, { value: p.id })))
  $('filed').hidden = !acts.some(a => a.files)
  $('acts').replaceChildren(...acts.map(a => made('button', a.label, { type: 'button', id: 'act-' + a.name, onclick: () => act(a) })))
  $('text').oninput = $('file').onchange = ready
  $('form').onsubmit = e => e.preventDefault()
  ready()
  watch()
}

begin()
