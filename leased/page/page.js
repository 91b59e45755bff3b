/* SPDX-License-Identifier: ISC */
/* Asks status.json every 2 s and draws it. What comes from there becomes text nodes and nothing else. */
"use strict";

const STEP_MS = 2000, BACKOFF_MAX_MS = 30000, ANSWER_MAX_MS = 10000, ROWS = 100, FILTER_BYTES = 64;
const MINUTE = 60, HOUR = 3600, DAY = 86400;
const $ = (id) => document.getElementById(id);
const offsets = { leases: 0, agents: 0, sessions: 0, audit: 0 };
const drawn = new WeakMap(); /* element: what it shows, so that only a change touches it */
let filter = "", announce = false;
let data = null, received_ms = 0; /* the last answer, and when it came (performance.now) */
let timer = 0, failures = 0, asking = null, paused = false, complaint = "";

/* ---- elements ---- */

function make(name, attributes, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
	element.append(...children);
	return element;
}
function draw(name, attributes, ...children) {
	const element = document.createElementNS("http://www.w3.org/2000/svg", name);
	for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
	element.append(...children);
	return element;
}
/* True if what element shows is to change. Untouched elements keep focus and selection. */
function changes(element, shows) {
	const key = JSON.stringify(shows);
	if (drawn.get(element) === key) return false;
	drawn.set(element, key);
	return true;
}
function say(element, text) { if (element.textContent !== text) element.textContent = text; }
/* Characters that cannot be seen, or turn the text around, are shown by their bytes, as leasectl does. */
function visible(text) {
	return String(text).replace(/(?![\uFE00-\uFE0F])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
		(c) => Array.from(new TextEncoder().encode(c), (byte) => "\\x" + byte.toString(16).padStart(2, "0")).join(""));
}

/* ---- times ---- */

const clock_form = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const hour_form = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day_form = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const year_form = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const utc_day_form = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

const seconds = (iso) => Date.parse(iso) / 1000;
/* The gateway's clock, for the viewer's may be wrong. */
const now_s = () => seconds(data.now) + (performance.now() - received_ms) / 1000;

function span(s) {
	if (s < MINUTE) return "<1 min";
	if (s < HOUR) return Math.floor(s / MINUTE) + " min";
	if (s < 2 * DAY) return Math.floor(s / HOUR) + " h";
	return Math.floor(s / DAY) + " d";
}
function relative(iso) {
	const ahead = seconds(iso) - seconds(data.now);
	return ahead > 0 ? "in " + span(ahead) : span(-ahead) + " ago";
}
function local(iso) {
	const date = new Date(iso);
	const far = Math.abs(date - Date.parse(data.now)) > 300 * DAY * 1000;
	return (far ? year_form : day_form).format(date) + ", " + hour_form.format(date);
}
const utc = (iso) => iso.replace("T", " ").replace("Z", " UTC");

/* ---- what a cell shows: a list of pieces {text, as, time, isolate, small} ---- */

const plain = (text, as) => ({ text: visible(text), as });
const foreign = (text, as) => ({ text: visible(text), as, isolate: true });
const moment = (iso, text, as) => ({ text, as, time: iso });
const when = (iso) => iso ? [moment(iso, relative(iso)), moment(iso, local(iso), "sub")] : [plain("never", "sub")];
const addresses = (list) => (list || []).map((a) => foreign(a, "mono"));

function piece(p) {
	const attributes = p.as ? { class: p.as } : {};
	if (p.time) Object.assign(attributes, { datetime: p.time, title: utc(p.time) });
	return make(p.time ? "time" : p.isolate ? "bdi" : "span", attributes, p.text);
}
function fill(cell, pieces) {
	if (changes(cell, pieces)) cell.replaceChildren(...pieces.map(piece));
}

const STATES = { active: "● active", expired: "○ expired", revoked: "✕ revoked", up: "▲ up", down: "▼ down", unknown: "? unknown" };
const LOOKS = { active: "s-good", expired: "s-warn", revoked: "s-off", up: "s-good", down: "s-bad", unknown: "s-warn" };
const state = (word) => plain(STATES[word] || word, "state " + (LOOKS[word] || "s-off"));

function opens(lease) {
	const pieces = addresses(lease.open);
	for (const agent of lease.open_agents || []) pieces.push(foreign("agent " + agent, "mono"));
	for (const listen of lease.listen || []) pieces.push(foreign("listens on " + listen, "mono"));
	if ((lease.from || []).length) pieces.push(foreign("only from " + lease.from.join(", "), "sub"));
	return pieces;
}
function next(lease) {
	if (!lease.next || lease.next.what === "kept" || !lease.next.at) return [plain("is kept", "sub")];
	const pieces = [moment(lease.next.at, lease.next.what + " " + relative(lease.next.at)), moment(lease.next.at, local(lease.next.at), "sub")];
	if (lease.state === "active" && lease.fixed_end) pieces.push(plain("fixed end", "sub"));
	return pieces;
}
/* Two hosts have the state of one agent. */
function copied(agent) {
	if (!agent.copied) return [];
	return [plain(agent.frozen ? "copied, frozen" : "copied", "state s-warn"),
		foreign([agent.copied.from, agent.copied.other].map((address) => address || "?").join(" and "), "sub mono")];
}
function sessions_of(lease) {
	return [plain((lease.sessions ?? "?") + (lease.max_sessions ? " of " + lease.max_sessions : ""))];
}

/* Each: heading, class of the column, pieces of a row. The first is the row's header. */
const tables = {
	leases: {
		title: "Leases", caption: "Leases, and what becomes of each next", key: (r) => r.id,
		none: "No lease yet: leasectl grant NAME --key FILE --open PORT makes one.",
		columns: [
			["Name", "", (r) => [foreign(r.name), ...(r.note ? [foreign(r.note, "sub")] : [])]],
			["State", "w8 badge", (r) => [state(r.state)]],
			["Login", "w8", (r) => [foreign(r.login)]],
			["May open", "", opens],
			["Next", "w12", next],
			["Live", "w6 num", sessions_of],
			["Last login", "w12", (r) => when(r.last_login_at)],
		],
	},
	agents: {
		title: "Agents", caption: "Private hosts with their ports and tunnels", key: (r) => r.name,
		none: "No private host has a lease here.",
		columns: [
			["Name", "", (r) => [foreign(r.name), ...(r.hostname ? [foreign(r.hostname, "sub")] : []), ...copied(r)]],
			["Tunnel", "w7 badge", (r) => [state(r.tunnel)]],
			["Port", "w5 num", (r) => [plain(r.port || "–")]],
			["Reaches", "w10", (r) => r.target ? [foreign(r.target, "mono")] : []],
			["Heartbeat", "w9", (r) => [r.last_heartbeat_at ? moment(r.last_heartbeat_at, relative(r.last_heartbeat_at)) : plain("never"),
				...(r.expires_at ? [moment(r.expires_at, "ends " + relative(r.expires_at), "sub")] : [])]],
		],
	},
	sessions: {
		title: "Live sessions", caption: "Live sessions by lease", key: (r) => r.pid + " " + r.since,
		none: "Nobody is connected.",
		columns: [
			["Lease", "", (r) => [foreign(r.lease || "(none)"), foreign(r.login, "sub"), ...(r.seen === false ? [plain("cannot be seen", "state s-warn")] : [])]],
			["From", "w10", (r) => [foreign(r.from, "mono")]],
			["Since", "w5", (r) => [moment(r.since, span(Math.max(0, seconds(data.now) - seconds(r.since))))]],
			["Listens on", "w10", (r) => addresses(r.listeners)],
			["pid", "w5 num", (r) => [plain(r.pid)]],
		],
	},
	audit: {
		title: "Audit", caption: "Audit rows, the newest first", key: (r) => r.seq,
		none: "Nothing has been written down yet.", searched: " in the newest 1000 rows",
		columns: [
			["Row", "w4", (r) => [plain(r.seq)]],
			["When", "w12", (r) => [moment(r.at, local(r.at)), moment(r.at, relative(r.at), "sub")]],
			["What", "w9", (r) => [foreign(r.action), ...(r.outcome && r.outcome !== "ok" ? [foreign(r.outcome, "state s-warn")] : [])]],
			["Lease", "w9", (r) => r.lease ? [foreign(r.lease)] : []],
			["Who", "w12", (r) => [foreign(r.actor), ...(r.source ? [foreign(r.source, "sub mono")] : [])]],
			["Detail", "", (r) => r.detail ? [foreign(r.detail, "mono")] : []],
		],
	},
};

/* The rows of a table by their key, so that a row stays the element that it was. */
for (const [kind, table] of Object.entries(tables)) {
	const section = $(kind);
	const head = table.columns.map(([label, look]) => make("th", { scope: "col", role: "columnheader", class: look }, label));
	table.rows = new Map();
	table.count = make("small");
	table.body = make("tbody", { role: "rowgroup" });
	table.table = make("table", { class: "cards", role: "table" },
		make("caption", { class: "unseen" }, table.caption),
		make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...head)), table.body);
	table.empty = make("p", { class: "empty", hidden: "" });
	table.back = make("button", { type: "button" }, "‹ Earlier rows");
	table.on = make("button", { type: "button" }, "Later rows ›");
	table.where = make("span");
	table.pager = make("nav", { "aria-label": "Pages of " + table.title.toLowerCase(), hidden: "" }, table.back, table.where, table.on);
	table.back.addEventListener("click", () => turn(kind, -ROWS));
	table.on.addEventListener("click", () => turn(kind, ROWS));
	section.append(make("h2", { id: "h-" + kind }, table.title + " ", table.count), table.table, table.empty, table.pager);
}

function new_row(table) {
	return make("tr", { role: "row" }, ...table.columns.map(([label, look], i) => i === 0
		? make("th", { scope: "row", role: "rowheader", class: look }) : make("td", { role: "cell", class: look, "data-label": label })));
}
function show_table(kind, part) {
	const table = tables[kind], keys = new Set(part.rows.map(table.key));
	/* The gone go first: a row that is moved would lose the selection in it. */
	for (const [key, element] of table.rows) {
		if (keys.has(key)) continue;
		element.remove();
		table.rows.delete(key);
	}
	let place = table.body.firstChild;
	for (const row of part.rows) {
		const key = table.key(row), element = table.rows.get(key) || new_row(table);
		table.columns.forEach(([, , pieces], i) => fill(element.children[i], pieces(row)));
		if (element === place) place = place.nextSibling;
		else table.body.insertBefore(element, place);
		table.rows.set(key, element);
	}

	const first = part.offset + 1, last = part.offset + part.rows.length, any = part.rows.length > 0;
	table.shown = part.rows.length;
	say(table.count, any || filter ? part.matching + (filter ? " match" + (table.searched || "") : "") : "");
	say(table.empty, filter ? "None matches the filter." : table.none);
	table.table.hidden = !any;
	table.empty.hidden = any;
	table.pager.hidden = part.matching <= ROWS && part.offset === 0;
	say(table.where, any ? first + "–" + last + " of " + part.matching : "none of " + part.matching);
	table.back.setAttribute("aria-disabled", String(part.offset === 0));
	table.on.setAttribute("aria-disabled", String(last >= part.matching));
	/* Rows went while their page was shown. */
	if (!any && part.offset > 0 && part.matching > 0) {
		offsets[kind] = Math.floor((part.matching - 1) / ROWS) * ROWS;
		ask_soon(0);
	}
}
function turn(kind, by) {
	const button = by < 0 ? tables[kind].back : tables[kind].on;
	if (button.getAttribute("aria-disabled") === "true") return;
	/* Where rows are large, fewer than a hundred come. */
	offsets[kind] = Math.max(0, offsets[kind] + (by > 0 ? tables[kind].shown : by));
	announce = kind;
	ask();
}

/* ---- problems and counts ---- */

function show_problems(problems) {
	const list = $("problem-list"), lines = problems.length ? problems : ["Nothing is known to be wrong."];
	$("problems").dataset.kind = problems.length ? "some" : "well";
	if (changes(list, lines)) list.replaceChildren(...lines.map((line) => make("li", {}, make("bdi", {}, visible(line)))));
}
function show_counts(c) {
	const shown = [["active leases", c.active], ["expired", c.expired], ["revoked", c.revoked], ["sessions", c.sessions],
		["agents", c.agents], ["tunnels up", c.tunnels_up], ["tunnels down", c.tunnels_down, c.tunnels_down > 0]];
	if (c.tunnels_unknown) shown.push(["tunnels unknown", c.tunnels_unknown, true]);
	if (c.unseen_sessions) shown.push(["sessions unseen", c.unseen_sessions, true]);
	/* null: it cannot be told. */
	if (c.unregistered_sessions !== 0) shown.push(["unregistered", c.unregistered_sessions, true]);
	shown.push(["audit rows", c.audit]);
	if (changes($("counts"), shown))
		$("counts").replaceChildren(...shown.map(([name, n, bad]) => make("div", bad ? { class: "bad" } : {},
			make("dt", {}, name), make("dd", {}, n === null ? "unknown" : Number(n).toLocaleString("en-GB")))));
}

/* ---- the next 30 days ---- */

const LANES = 6, LANE = 19, LETTER = 6.9;
const and_more = (names, count, most) => names.slice(0, most).map(visible).join(", ") + (count > most ? " +" + (count - Math.min(most, names.length)) : "");

/* Labels stand to the right of their day, in the lowest lane where they cross no other label and no line. */
function place_labels(days, width) {
	const placed = [];
	for (const day of days.slice().reverse()) {
		let text = and_more(day.names, day.count, 3);
		if (text.length > 30) text = and_more(day.names, day.count, 1);
		if (text.length > 30) text = text.slice(0, 28) + "…";
		const wide = text.length * LETTER + 8, left = Math.max(0, Math.min(day.x - 3, width - wide)), right = left + wide;
		const fits = (lane) => placed.every((p) => (p.right < left || p.left > right || p.lane !== lane) &&
			!(p.x >= left && p.x <= right && p.lane >= lane) && !(day.x >= p.left && day.x <= p.right && p.lane <= lane));
		let lane = 0;
		while (lane < LANES && !fits(lane)) lane++;
		if (lane < LANES) placed.push({ ...day, text, left, right, lane });
	}
	return placed;
}
function show_ends(ends) {
	const chart = $("ends"), width = chart.clientWidth;
	if (!width || !changes(chart, [ends, width])) return;
	const column = width / ends.length, days = [];
	ends.forEach((day, i) => { if (day.count) days.push({ ...day, x: (i + 0.5) * column }); });
	const labels = place_labels(days, width);
	const base = labels.reduce((most, l) => Math.max(most, l.lane + 1), 0) * LANE + 12, height = base + 34;
	const month_at = ends.findIndex((day, i) => i > 0 && day.day.endsWith("-01"));
	const total = days.reduce((sum, day) => sum + day.count, 0);
	const first = days[0];
	const summary = !total ? "No lease ends in the next 30 days." : total + (total === 1 ? " lease ends" : " leases end") +
		" in the next 30 days, first " + and_more(first.names, first.count, 3) + " on " + utc_day_form.format(new Date(first.day)) + ".";
	const picture = draw("svg", { role: "img", "aria-label": summary, viewBox: `0 0 ${width} ${height}`, height });
	ends.forEach((day, i) => {
		const date = new Date(day.day), x = i * column, number = date.getUTCDate();
		if (date.getUTCDay() % 6 === 0) picture.append(draw("rect", { class: "weekend", x, y: 0, width: column, height: base }));
		const every = column >= 20 ? 1 : column >= 14 ? 2 : 5;
		if (i % every === 0 && !(i > 0 && i < every))
			picture.append(draw("text", { x: x + column / 2, y: base + 16, "text-anchor": "middle", class: i ? "" : "today" }, number));
		if (number === 1 || (i === 0 && (month_at < 0 || month_at * column > 50)))
			picture.append(draw("text", { x: x + column / 2, y: base + 31, "text-anchor": i ? "middle" : "start", dx: i ? 0 : -column / 2,
				class: i ? "" : "today" }, i ? date.toLocaleString("en-GB", { month: "short", timeZone: "UTC" }) : "today"));
	});
	picture.append(draw("line", { class: "axis", x1: 0, x2: width, y1: base, y2: base }));
	for (const l of labels) {
		const y = base - 8 - l.lane * LANE;
		picture.append(draw("line", { class: "lead", x1: l.x, x2: l.x, y1: base, y2: y - 8 }),
			draw("text", { class: "who", x: l.left + 7, y }, l.text));
	}
	for (const day of days)
		picture.append(draw("circle", { class: "dot", cx: day.x, cy: base, r: Math.min(column / 2, 3 + Math.sqrt(day.count)) },
			draw("title", {}, utc_day_form.format(new Date(day.day)) + ": " + and_more(day.names, day.count, 20))));
	if (!total) picture.append(draw("text", { x: width / 2, y: base - 1, "text-anchor": "middle", dy: -4 }, "no lease ends"));
	chart.replaceChildren(picture);
	$("ends-list").replaceChildren(...(total ? days.map((day) => make("li", {}, utc_day_form.format(new Date(day.day)) + ": ",
		make("bdi", {}, and_more(day.names, day.count, day.names.length)))) : [make("li", {}, "none")]));
}

/* ---- the last 24 hours ---- */

/* Name in the data, heading, how it is drawn, how it is counted. */
const plots = [["sessions", "Sessions", "line", "now"], ["heartbeats", "Heartbeats", "line", "sum"],
	["ends", "Ended by leased", "bars", "sum"], ["refusals", "Requests refused", "warnbars", "sum"]];
const known = (values) => values.filter((v) => v !== null);
const sum = (values) => known(values).reduce((a, b) => a + b, 0);
const peak = (values) => known(values).reduce((a, b) => Math.max(a, b), 0);

/* One path for all bars, one rectangle for each time without leased. */
function plot_of(look, values, high) {
	const H = 100, y = (v) => H - v / high * H;
	const picture = draw("svg", { class: "plot", role: "img", viewBox: `0 0 ${values.length} ${H}`, preserveAspectRatio: "none" });
	let area = "", stroke = "";
	for (let i = 0; i < values.length; i++) {
		const v = values[i];
		if (v === null) {
			const from = i;
			while (i + 1 < values.length && values[i + 1] === null) i++;
			picture.append(draw("rect", { class: "gap", x: from, y: 0, width: i + 1 - from, height: H }));
		} else if (look === "line") {
			area += `M${i},${H}V${y(v)}h1V${H}z`;
			stroke += (i > 0 && values[i - 1] !== null ? "V" : `M${i},`) + `${y(v)}h1`;
		} else if (v > 0) {
			area += `M${i},${H}V${y(v)}h1V${H}z`;
		}
	}
	picture.append(draw("path", { class: look === "line" ? "area" : look, d: area }));
	if (stroke) picture.append(draw("path", { class: "stroke", d: stroke }));
	return picture;
}
function show_plot([kind, title, look, counted], history) {
	const values = history[kind] || [];
	let figure = $("plot-" + kind);
	if (!figure) {
		figure = make("figure", { id: "plot-" + kind });
		$("plots").append(figure);
	}
	if (!changes(figure, [values, history.step_s])) return;
	const high = peak(values), whole = sum(values);
	const current = values.length ? values[values.length - 1] : null;
	const headline = (counted === "now" ? (current === null ? "unknown" : current) + " now" : whole.toLocaleString("en-GB")) + ", peak " + high;
	const start = history.step_s * values.length;
	const readout = make("span", {}, headline), picture = plot_of(look, values, Math.max(high * 1.08, 2));
	picture.setAttribute("aria-label", title + " in the last 24 hours: " + headline + (counted === "now" ? "" : " in " + span(history.step_s)));
	/* Under the pointer: the value there. The table below has the same for who has no pointer. */
	picture.addEventListener("pointermove", (event) => {
		const box = picture.getBoundingClientRect(), i = Math.floor((event.clientX - box.left) / box.width * values.length);
		if (i < 0 || i >= values.length) return;
		const at = new Date(Date.parse(history.end_at) - (values.length - i) * history.step_s * 1000);
		say(readout, hour_form.format(at) + ": " + (values[i] === null ? "no data" : values[i]));
	});
	picture.addEventListener("pointerleave", () => say(readout, headline));
	figure.replaceChildren(make("figcaption", {}, make("b", {}, title), readout), picture,
		make("div", { class: "ticks", "aria-hidden": "true" }, make("span", {}, "−" + Math.round(start / HOUR) + " h"), make("span", {}, "−" + Math.round(start / 2 / HOUR) + " h"), make("span", {}, "now")));
}
function show_hours(history) {
	const box = $("day-table");
	if (!changes(box, history)) return;
	const each = Math.max(1, Math.round(HOUR / history.step_s)), n = history.sessions.length, rows = [];
	for (let to = n; to > 0; to -= each) {
		const from = Math.max(0, to - each), at = new Date(Date.parse(history.end_at) - (n - from) * history.step_s * 1000);
		rows.push(make("tr", {}, make("th", { scope: "row" }, make("time", { datetime: at.toISOString(), title: utc(at.toISOString().slice(0, 19) + "Z") }, hour_form.format(at))),
			...plots.map(([kind, , , counted]) => {
				const part = (history[kind] || []).slice(from, to);
				return make("td", {}, !known(part).length ? "no data" : counted === "now" ? "peak " + peak(part) : String(sum(part)));
			})));
	}
	box.replaceChildren(make("table", {}, make("caption", { class: "unseen" }, "The last 24 hours, by the hour, the latest first"),
		make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Hour from"), ...plots.map(([, title]) => make("th", { scope: "col" }, title)))),
		make("tbody", {}, ...rows)));
}

/* ---- one answer ---- */

function show(answer) {
	data = answer;
	received_ms = performance.now();
	say($("host"), visible(data.host || "tunlease"));
	document.title = (data.problems.length ? "(!) " : "") + visible(data.host || "") + " – tunlease";
	say($("about"), "tunlease " + visible(data.version) + ", leased up since " + local(data.started_at) + ".");
	show_problems(data.problems);
	show_counts(data.counts);
	show_ends(data.ends);
	for (const plot of plots) show_plot(plot, data.history);
	const missing = (data.history.sessions || []).filter((v) => v === null).length * data.history.step_s;
	say($("day-note"), missing >= 2 * data.history.step_s ? "grey: leased did not run, or has forgotten" : "");
	show_hours(data.history);
	for (const kind of Object.keys(tables)) show_table(kind, data[kind]);
	if (announce) {
		const kinds = announce === true ? Object.keys(tables) : [announce];
		say($("said"), kinds.map((kind) => tables[kind].title + ": " + (announce === true ? data[kind].matching + " match" : tables[kind].where.textContent)).join(", "));
		announce = false;
	}
}
/* Only a change of state is in the live region; the time beside it is not. */
function show_link() {
	const lost = failures > 0, state = complaint || (lost ? (data ? "no answer since" : "no answer yet") : paused ? "paused at" : data ? "as of" : "asking …");
	document.body.dataset.link = lost || complaint ? "lost" : paused ? "paused" : data ? "live" : "asking";
	say($("mark"), lost || complaint ? "▲" : paused ? "‖" : data ? "●" : "○");
	say($("state"), state);
	const clock = $("clock");
	if (!data || complaint) { say(clock, ""); return; }
	const age = (performance.now() - received_ms) / 1000;
	say(clock, clock_form.format(new Date(data.now)) + (age >= MINUTE ? " (" + span(age) + ")" : ""));
	clock.setAttribute("datetime", data.now);
	clock.setAttribute("title", utc(data.now));
}

/* ---- asking ---- */

function ask_soon(ms) {
	clearTimeout(timer);
	timer = 0;
	if (!document.hidden && !paused) timer = setTimeout(ask, ms);
}
async function ask() {
	clearTimeout(timer);
	if (asking) asking.abort();
	const mine = asking = new AbortController();
	const patience = setTimeout(() => mine.abort(), ANSWER_MAX_MS);
	const query = new URLSearchParams();
	if (filter) query.set("filter", filter);
	for (const [kind, offset] of Object.entries(offsets)) if (offset) query.set(kind, offset);
	const text = query.toString();
	let response = null, answer = null;
	try {
		response = await fetch("status.json" + (text ? "?" + text : ""),
			{ cache: "no-store", credentials: "omit", redirect: "error", signal: mine.signal });
		answer = await response.json();
	} catch { /* refused, cut off, late, or no JSON: no answer */ }
	clearTimeout(patience);
	if (mine !== asking) return; /* a newer question is on its way */
	asking = null;
	failures = answer ? 0 : failures + 1;
	complaint = answer && !response.ok ? visible(answer.error || "refused: " + response.status) : "";
	try {
		if (answer && response.ok) show(answer);
	} catch (error) {
		complaint = "this answer cannot be shown: load the page again";
		console.error(error);
	}
	show_link();
	ask_soon(Math.min(STEP_MS * 2 ** Math.min(failures, 8), BACKOFF_MAX_MS));
}

/* ---- the viewer ---- */

function set_filter(text) {
	while (new TextEncoder().encode(text).length > FILTER_BYTES) text = Array.from(text).slice(0, -1).join("");
	if (text === filter) return;
	filter = text;
	for (const kind of Object.keys(offsets)) offsets[kind] = 0;
	history.replaceState(null, "", filter ? "#filter=" + encodeURIComponent(filter) : location.pathname);
	announce = true;
	ask();
}
function filter_of_address() {
	if (!location.hash.startsWith("#filter=")) return;
	let text = "";
	try { text = decodeURIComponent(location.hash.slice(8)); } catch { /* not ours */ }
	$("filter").value = text;
	set_filter(text.trim());
}
let typing = 0;
$("filter").addEventListener("input", () => {
	clearTimeout(typing);
	typing = setTimeout(() => set_filter($("filter").value.trim()), 250);
});
$("search").addEventListener("submit", (event) => {
	event.preventDefault();
	clearTimeout(typing);
	set_filter($("filter").value.trim());
});
$("pause").addEventListener("click", () => {
	paused = !paused;
	$("pause").setAttribute("aria-pressed", String(paused));
	show_link();
	if (paused) clearTimeout(timer); else ask();
});
document.addEventListener("visibilitychange", () => {
	if (document.hidden) clearTimeout(timer);
	else if (!paused) ask();
});
addEventListener("hashchange", filter_of_address);
new ResizeObserver(() => { if (data) show_ends(data.ends); }).observe($("ends"));
setInterval(() => { if (failures) show_link(); }, 1000);
say($("zone"), Intl.DateTimeFormat().resolvedOptions().timeZone || "your zone");
filter_of_address();
if (!asking) ask();
