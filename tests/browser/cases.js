// SPDX-License-Identifier: ISC
// cases.js: what the tests of the page try, and look at, in the browser. t is that of drive.js; the other
// arguments are words of the shell test. A case throws when something does not hold.
"use strict";

const words = (list) => list.slice().sort();
const last_word = (lines) => lines[0].split(" ").pop();
const sorted = (rows) => rows.map((row) => JSON.stringify(row)).sort();

/* ---- what it shows ---- */

exports.open = (t, url, zone) => t.open(url, { zone }).then(() => null);
exports.said = (t) => t.said;
exports.forget_said = (t) => { t.said.length = 0; };
exports.asked_elsewhere = (t, url) => t.asked.filter((asked) => !asked.startsWith(url));

// The JSON of `leasectl list --all`, `agents` and `sessions`: the tables have the same rows, in any order.
async function compare(t, leases, agents, sessions) {
	t.equal(sorted((await t.rows("leases")).map((row) => ({
		name: row.Name[0], note: row.Name[1] || "", state: last_word(row.State), login: row.Login[0],
		opens: words(row["May open"]), live: row.Live[0],
	}))), sorted(leases.map((lease) => ({
		name: lease.name, note: lease.note, state: lease.state, login: lease.login,
		opens: words([...lease.open, ...lease.open_agents.map((a) => "agent " + a), ...lease.listen.map((l) => "listens on " + l),
			...lease.from.length ? ["only from " + lease.from.join(", ")] : []]),
		live: (lease.sessions ?? "?") + (lease.max_sessions ? " of " + lease.max_sessions : ""),
	}))), "leases");
	t.equal(sorted((await t.rows("agents")).map((row) => ({ name: row.Name[0], port: row.Port[0], tunnel: last_word(row.Tunnel) }))),
		sorted(agents.map((agent) => ({ name: agent.name, port: String(agent.port_b), tunnel: agent.tunnel }))), "agents");
	t.equal(sorted((await t.rows("sessions")).map((row) => ({
		lease: row.Lease[0], login: row.Lease[1], from: row.From[0], pid: row.pid[0], listeners: words(row["Listens on"]),
	}))), sorted(sessions.map((session) => ({
		lease: session.lease, login: session.login, from: session.from, pid: String(session.pid), listeners: words(session.listeners),
	}))), "sessions");
}
exports.same_as_leasectl = async (t, ...json) => {
	let why = "";
	const same = () => compare(t, ...json.map((text) => JSON.parse(text))).then(() => true, (error) => { why = error.message; return false; });
	await t.until("it shows what leasectl shows", same).catch((error) => { throw new Error(`${error.message}: ${why}`); });
};
exports.tunnel_is = (t, name, state) => t.until(`${name} is ${state}`,
	async () => (await t.rows("agents")).some((row) => row.Name[0] === name && last_word(row.Tunnel) === state));
exports.no_session = (t) => t.until("no session", async () => !(await t.rows("sessions")).length && (await t.text("#sessions")).includes("Nobody is connected."));
exports.audit_has = async (t, action) => {
	const actions = (await t.rows("audit")).map((row) => row.What[0]);
	t.holds(actions.includes(action), `not in ${actions}`);
};
exports.note_is = async (t, note) => {
	let notes = [];
	const shown = async () => (notes = (await t.rows("leases")).map((row) => row.Name[1])).includes(note);
	await t.until("the note is shown", shown).catch(() => { throw new Error(`not in ${JSON.stringify(notes)}`); });
};
exports.hostname_is = (t, hostname) => t.until(`${hostname} is shown`, async () => (await t.rows("agents")).some((row) => row.Name[1] === hostname));
exports.no_foreign_elements = async (t) =>
	t.equal(await t.page.$$eval("main img, main script, main b, main iframe, main svg", (all) => all.length), 0, "elements");
// leasectl and leased take no text that turns itself around. The page does not rely on it.
exports.hostile_answer = async (t, url) => {
	const hostile = "<img src=x onerror=alert(3)>\u202ea\u2066b\u200bc\ufeff\u0007</td></table><script>alert(4)</script>" + "Z".repeat(300);
	const shown = hostile.replace(/[\u202e\u2066\u200b\ufeff\u0007]/g, (c) => Array.from(Buffer.from(c), (b) => "\\x" + b.toString(16).padStart(2, "0")).join(""));
	const poison = (value, key) => Array.isArray(value) ? value.map((item) => poison(item, key))
		: value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, poison(v, k)]))
			: typeof value === "string" && !/(^|_)(at|now|day|since)$/.test(key) ? hostile : value;
	const page = await t.open(url), real = await (await fetch(url + "status.json")).json();
	const answer = poison(real, "");
	answer.problems = [hostile];
	answer.counts.unregistered_sessions = null; // it cannot be told
	answer.leases.matching = 250; // and fewer rows than 100: they were large
	answer.sessions.rows = [{ lease: hostile, lease_id: 1, login: hostile, from: hostile, since: real.now, pid: 1, listeners: [hostile], seen: false }];
	await page.setRequestInterception(true);
	page.on("request", (request) => request.url().includes("status.json")
		? request.respond({ status: 200, contentType: "application/json", body: JSON.stringify(answer) }) : request.continue());
	await t.until("it is shown", async () => (await t.rows("leases"))[0].Name[0] === shown);
	const texts = { host: await t.text("#host"), problem: await t.page.$eval("#problem-list", (e) => e.textContent) };
	for (const [kind, headings] of Object.entries({ leases: ["Name", "Login", "May open"], agents: ["Name", "Reaches"], sessions: ["Lease", "From", "Listens on"],
		audit: ["What", "Lease", "Who", "Detail"] }))
		for (const heading of headings) texts[`${kind} ${heading}`] = (await t.rows(kind))[0][heading].find((text) => text.includes(shown)) && shown;
	for (const [where, text] of Object.entries(texts)) t.equal(text, shown, where);
	t.equal(await t.page.$$eval("img, script, svg title, bdi *, td table", (all) => all.filter((e) => e.tagName !== "title").length), 2, "images and scripts");
	t.holds((await t.text("#counts")).includes("unknown"), "what cannot be told is shown as 0");
	await page.$eval("#leases nav button:last-of-type", (e) => e.click());
	await t.until("it asks for the rows behind those", () => t.asked.some((asked) => asked.endsWith(`?leases=${answer.leases.rows.length}`)));
	await fits(t, 1280, 360);
	t.equal(t.said, [], "complaints");
};
exports.local_time = async (t, utc, local, zone) => {
	const times = await t.page.$$eval("#leases time", (all) => all.filter((e) => e.title).map((e) => [e.title, e.textContent]));
	const texts = times.filter(([title]) => title === utc).map(([, text]) => text);
	t.holds(texts.some((text) => text.endsWith(local)), `${utc} is ${texts}`);
	t.equal(await t.text("#zone"), zone, "the zone");
};

/* ---- the browser's own rules ---- */

exports.policy = async (t, url) => {
	const broken = await t.page.evaluate(async () => {
		const met = new Set();
		document.addEventListener("securitypolicyviolation", (event) => met.add(event.effectiveDirective));
		document.body.setAttribute("style", "color: red");
		document.head.append(Object.assign(document.createElement("style"), { textContent: "p { color: red }" }));
		// Whoever forgets textContent some day is stopped by the browser, too.
		const typed = (change) => { try { change(); } catch (error) { return error.name; } return "taken"; };
		const sinks = [typed(() => { document.body.innerHTML += "<p>x"; }), typed(() => { document.createElement("script").src = "page.js"; })];
		const inline = document.createElement("script");
		inline.append("window.ran = true");
		document.head.append(inline);
		document.body.append(Object.assign(document.createElement("img"), { src: "data:image/gif;base64,R0lGODlhAQABAAAAACw=" }));
		await fetch("http://127.0.0.1:8099/").catch(() => {});
		await new Promise((resolve) => setTimeout(resolve, 200));
		return { sinks, met: Array.from(met).sort(), ran: window.ran === true };
	});
	t.equal(broken.sinks, ["TypeError", "TypeError"], "what becomes HTML or a script");
	t.equal([broken.met, broken.ran], [["connect-src", "img-src", "require-trusted-types-for", "style-src-attr", "style-src-elem"], false], "violations");
	t.holds(t.said.some((line) => line.includes("Content Security Policy")), "violations are not among what the tests see");
	t.said.length = t.asked.length = 0;
	await t.open(url);
};

/* ---- a refresh disturbs nobody ---- */

exports.refresh_is_quiet = async (t) => {
	await t.page.focus("#filter");
	await t.page.evaluate(() => {
		const w = window.watched = { rows: Array.from(document.querySelectorAll("main tbody tr")), said: [], moved: 0 };
		getSelection().selectAllChildren(document.querySelector("#leases tbody th"));
		w.selection = String(getSelection());
		const watch = new MutationObserver((changes) => w.said.push(...changes.map((c) => c.target.id || c.target.nodeName)));
		for (const region of document.querySelectorAll("[role=status], [aria-live]"))
			watch.observe(region, { subtree: true, childList: true, characterData: true });
		new PerformanceObserver((list) => { for (const entry of list.getEntries()) w.moved += entry.value; }).observe({ type: "layout-shift" });
	});
	for (let i = 0; i < 3; i++) await t.fresh();
	t.equal(await t.page.evaluate(() => {
		const w = window.watched, rows = document.querySelectorAll("main tbody tr");
		return { focus: document.activeElement.id, selected: w.selection.length > 2 && String(getSelection()) === w.selection,
			same: w.rows.every((row, i) => row === rows[i]), said: w.said, moved: w.moved };
	}), { focus: "filter", selected: true, same: true, said: [], moved: 0 }, "after three answers");
};
exports.new_first_row = async (t, name) => {
	await t.until(`${name} is the first row`, async () => (await t.rows("leases"))[0].Name[0] === name);
	t.equal(await t.page.evaluate(() => [String(getSelection()) === window.watched.selection, document.activeElement.id]),
		[true, "filter"], "selection and focus");
};

/* ---- filter and pages ---- */

const type_filter = async (t, text) => {
	await t.page.$eval("#filter", (e) => { e.value = ""; });
	await t.page.type("#filter", text);
};
exports.filter = async (t, text, names) => {
	await type_filter(t, text);
	await t.until(`only '${names}'`, async () => (await t.rows("leases")).map((row) => row.Name[0]).sort().join() === names);
};
exports.filter_nothing = (t) => type_filter(t, " ");
exports.filter_is_told = async (t, hash, said) => {
	t.equal(new URL(t.page.url()).hash, hash, "address");
	await t.until("it is said", async () => (await t.text("#said")).startsWith(said));
};
exports.none_matches = async (t) =>
	t.equal(await t.page.$eval("#leases .empty", (e) => !e.hidden && e.textContent), "None matches the filter.", "text");
exports.filter_in_address = async (t, url, name) => {
	await t.open(`${url}#filter=${name}`);
	await t.until(name, async () => (await t.rows("leases")).map((row) => row.Name[0]).join() === name);
	t.equal(await t.page.$eval("#filter", (e) => e.value), name, "the field");
};
exports.long_filter = async (t) => {
	await type_filter(t, "\u{1f511}".repeat(32));
	await t.fresh();
	t.equal(await t.page.evaluate(() => document.body.dataset.link), "live", "state");
	await type_filter(t, " ");
};
const page_is = async (t, where, rows) => {
	await t.until(where, async () => await t.page.$eval("#leases nav span", (e) => e.textContent) === where);
	t.equal(await t.page.$$eval("#leases tbody tr", (all) => all.length), Number(rows), "rows");
};
exports.page_is = page_is;
exports.turn = async (t, button, where, rows) => {
	const found = await t.page.evaluateHandle((text) => Array.from(document.querySelectorAll("#leases nav button")).find((e) => e.textContent.includes(text)), button);
	await found.focus();
	await t.page.keyboard.press("Enter");
	await page_is(t, where, rows);
	t.holds((await t.page.evaluate(() => document.activeElement.textContent)).includes(button), "the focus is lost");
};
exports.no_further = async (t, button) => {
	t.equal(await t.page.evaluate(() => document.activeElement.getAttribute("aria-disabled")), "true", "aria-disabled");
	const asked = t.asked.length;
	await t.page.keyboard.press("Enter");
	await t.fresh();
	t.holds((await t.page.evaluate(() => document.activeElement.textContent)).includes(button), "the focus is lost");
	t.holds(t.asked.slice(asked).every((url) => !url.includes("leases=300")), "asked for rows that are not there");
};

/* ---- keyboard ---- */

exports.tab_order = async (t, url) => {
	const page = await t.open(url), way = [];
	for (let i = 0; i < 5; i++) {
		await page.keyboard.press("Tab");
		await t.sleep_ms(200); // the first link glides in
		way.push(await page.evaluate(() => {
			const e = document.activeElement, look = getComputedStyle(e), box = e.getBoundingClientRect();
			const seen = e.matches(":focus-visible") && look.outlineStyle === "solid" && parseFloat(look.outlineWidth) >= 2 && box.top >= 0;
			return (e.id || e.textContent) + (seen ? "" : " (not seen)");
		}));
	}
	t.equal(way, ["Skip to the leases", "filter", "pause", "As a list", "As a table, by the hour"], "order");
};
exports.hours_open = async (t) => {
	await t.page.keyboard.press("Enter");
	t.equal(await t.page.$$eval("#day-table tbody tr", (rows) => rows.length), 24, "rows");
	t.holds(await t.page.$eval("#day-table", (e) => e.getBoundingClientRect().height > 100), "it is closed");
};
exports.skips = async (t) => {
	await t.page.focus(".skip");
	await t.page.keyboard.press("Enter");
	t.equal(await t.page.evaluate(() => document.activeElement.id), "main", "focus");
};
const asks_nothing = async (t) => {
	await t.sleep_ms(300); // a question that is on its way
	const asked = t.asked.length;
	await t.sleep_ms(2500);
	t.equal(t.asked.length, asked, "requests");
};
exports.pauses = async (t) => {
	await t.page.focus("#pause");
	await t.page.keyboard.press("Space");
	await t.linked("paused");
	t.equal(await t.page.evaluate(() => document.activeElement.getAttribute("aria-pressed")), "true", "aria-pressed");
	await asks_nothing(t);
	const asked = t.asked.length;
	await t.page.keyboard.press("Space");
	await t.linked("live");
	await t.until("it asks", () => t.asked.length > asked);
};
exports.hidden_is_silent = async (t) => {
	const hide = (hidden) => t.page.evaluate((value) => {
		Object.defineProperty(document, "hidden", { value, configurable: true });
		document.dispatchEvent(new Event("visibilitychange"));
	}, hidden);
	await hide(true);
	await asks_nothing(t);
	const asked = t.asked.length;
	await hide(false);
	await t.until("it asks", () => t.asked.length > asked);
};

/* ---- screen reader ---- */

const tree = async (t) => {
	const found = [], walk = (node) => { found.push(`${node.role}: ${node.name || ""}`); (node.children || []).forEach(walk); };
	walk(await t.page.accessibility.snapshot({ interestingOnly: false }));
	return found;
};
const tree_has = (t, found, ...wanted) => {
	for (const want of wanted)
		t.holds(found.some((line) => line.startsWith(want)), `no '${want}' in ${found.filter((line) => line.length < 70 && !/^(StaticText|InlineTextBox|generic)/.test(line)).join("; ")}`);
};
exports.names_for_readers = async (t, host) => {
	const found = await tree(t);
	tree_has(t, found, `RootWebArea: ${host} – tunlease`, "banner", "main", "contentinfo", "search", "searchbox: Filter", "button: Pause", `heading: ${host}`,
		"region: Problems", "region: Counts", "region: The next 30 days", "region: The last 24 hours", "region: Leases", "region: Agents", "region: Live sessions",
		"region: Audit", "table: Leases, and what becomes of each next", "table: Private hosts", "table: Audit rows", "columnheader: Name",
		"rowheader: alice", "cell: ● active", "status", "image: Sessions in the last 24 hours: ", "image: Heartbeats in", "image: Ended by leased in",
		"image: Requests refused in");
	t.holds(found.some((line) => /^image: \d+ leases end in the next 30 days, first /.test(line)), found.filter((line) => /^image/.test(line)).join("; "));
	t.equal(found.filter((line) => /^(button|link|table|region|image|searchbox): $/.test(line)), [], "without a name");
};
exports.rows_on_a_phone = async (t) => {
	await t.page.setViewport({ width: 360, height: 740 });
	await t.sleep_ms(200);
	tree_has(t, await tree(t), "table: Leases, and", "row: ", "rowheader: alice", "cell: ● active", "columnheader: Name");
};

/* ---- looks ---- */

const fits = async (t, ...widths) => {
	await t.page.$$eval("details", (all) => all.forEach((e) => { e.open = true; }));
	for (const width of widths.map(Number)) {
		await t.page.setViewport({ width, height: 740 });
		await t.sleep_ms(300);
		const found = await t.page.evaluate((w) => ({ page: document.documentElement.scrollWidth,
			out: Array.from(document.querySelectorAll("body *")).filter((e) => !e.closest(".unseen, thead") && e.getBoundingClientRect().right > w + 1)
				.map((e) => `${e.tagName}.${e.getAttribute("class") || e.id}`).slice(0, 3) }), width);
		t.equal(found, { page: width, out: [] }, `at ${width}`);
	}
};
exports.fits = fits;
// WCAG 2: contrast of each text with what is behind it.
exports.contrast = async (t, url, scheme, paper) => {
	const page = await t.open(url, { scheme });
	const found = await page.evaluate(() => {
		const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
		const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
		const parse = (text) => text.match(/[\d.]+/g).map(Number);
		const behind = (e) => {
			for (; e; e = e.parentElement) {
				const colour = parse(getComputedStyle(e).backgroundColor);
				if (colour.length === 3 || colour[3] > 0) return colour;
			}
			return [255, 255, 255];
		};
		const low = new Set();
		let texts = 0;
		for (const e of document.querySelectorAll("body *")) {
			if (!Array.from(e.childNodes).some((n) => n.nodeType === 3 && n.data.trim())) continue;
			if (e.closest("noscript, .unseen, title") || !e.getClientRects().length) continue;
			const look = getComputedStyle(e), ink = light(parse(e.namespaceURI.endsWith("svg") ? look.fill : look.color)), paper = light(behind(e));
			const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
			texts++;
			if (ratio < 4.5) low.add(`${e.tagName}.${e.getAttribute("class") || e.id} ${ratio.toFixed(2)}`);
		}
		return { low: Array.from(low), enough: texts > 80, paper: getComputedStyle(document.body).backgroundColor };
	});
	t.equal(found, { low: [], enough: true, paper }, "contrast");
};
exports.no_motion = async (t) => {
	const moving = () => t.page.evaluate(() => Array.from(document.querySelectorAll("*"), (e) => getComputedStyle(e))
		.filter((look) => parseFloat(look.transitionDuration) > 0 || look.animationName !== "none").length);
	t.holds(await moving() > 0, "it cannot be seen here");
	await t.page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
	t.equal(await moving(), 0, "moving elements");
};
exports.without_script = async (t, url) => {
	const page = await t.tab();
	await page.setJavaScriptEnabled(false);
	await page.goto(url);
	const text = await t.text("body");
	t.holds(text.includes("leasectl list"), text);
	await t.open(url);
};

/* ---- leased goes and comes back ---- */

exports.lost = async (t) => {
	await t.linked("lost");
	const text = await t.text("#asof");
	t.holds(/^▲ no answer since \d\d:\d\d:\d\d/.test(text), text);
	t.holds((await t.rows("leases")).length > 0, "the rows are gone");
};
exports.asks_less = async (t) => {
	const asked = t.asked.length;
	await t.sleep_ms(10000);
	t.holds(t.asked.length - asked <= 3, `${t.asked.length - asked} requests in 10 s`);
};
exports.back = async (t) => {
	await t.linked("live", 40);
	const text = await t.text("#asof");
	t.holds(text.startsWith("● as of"), text);
};

/* ---- others ---- */

exports.other_site = async (t, site, target) => {
	const page = await t.tab();
	await page.goto(site);
	const got = await page.evaluate(async (at) => {
		const answers = {};
		const load = (element) => new Promise((resolve) => {
			element.onload = () => resolve("loaded");
			element.onerror = () => resolve("refused");
			document.body.append(element);
		});
		for (const mode of ["cors", "same-origin"])
			answers[mode] = await fetch(at + "status.json", { mode }).then(() => "read", () => "refused");
		answers.opaque = await fetch(at + "status.json", { mode: "no-cors" }).then(async (r) => (await r.text()).length, () => "refused");
		answers.script = await load(Object.assign(document.createElement("script"), { src: at + "page.js" }));
		answers.data = await load(Object.assign(document.createElement("script"), { src: at + "status.json" }));
		answers.style = await load(Object.assign(document.createElement("link"), { rel: "stylesheet", href: at + "page.css" }));
		answers.image = await load(Object.assign(document.createElement("img"), { src: at + "icon.svg" }));
		document.body.append(Object.assign(document.createElement("iframe"), { src: at }));
		return answers;
	}, target);
	t.equal(got, { cors: "refused", "same-origin": "refused", opaque: "refused", script: "refused", data: "refused", style: "refused", image: "refused" }, "another site");
	await t.sleep_ms(1000);
	t.equal(page.frames().length, 2, "frames");
	for (const frame of page.frames().slice(1)) {
		const inside = await frame.evaluate(() => document.documentElement.innerText).catch(() => "");
		t.holds(!/alice|Leases/.test(inside), `framed: ${inside.slice(0, 200)}`);
	}
	t.said.length = 0;
};
exports.refused_at = async (t, url, status) => {
	const answer = await (await t.tab()).goto(url);
	t.equal([answer.status(), (await answer.text()).includes("alice")], [Number(status), false], "status, and whether it tells");
	t.said.length = 0;
};
exports.no_tunnel = async (t, url) => {
	for (const path of ["", "page.js", "status.json"]) {
		const answer = await (await t.tab()).goto(url + path);
		t.equal([answer.status(), /alice/.test(await answer.text())], [403, false], path);
	}
	t.said.length = 0;
};
exports.unreachable = async (t, url) => {
	const page = await t.tab();
	const why = await page.goto(url).then((answer) => `answered ${answer.status()}`, (error) => error.message);
	t.holds(why.startsWith("net::"), why);
	t.said.length = 0;
	return why;
};

/* ---- pictures ---- */

exports.picture = async (t, url, scheme, width, height, path) => {
	const page = await t.open(url, { scheme, width: Number(width), zone: "Europe/Berlin" });
	await t.sleep_ms(500);
	await page.screenshot({ path, clip: { x: 0, y: 0, width: Number(width), height: Number(height) } });
};
