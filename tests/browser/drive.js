// SPDX-License-Identifier: ISC
// drive.js: a headless Chromium that a shell test drives (tests/browser/lib.sh).
//
// It reads requests from standard input: NAME and its arguments, each ended by 0x1f, all of it by NUL. NAME
// is a case of cases.js. It answers each with one line: `ok VALUE`, the value as JSON, or `no REASON`. Its
// own arguments are further ones for Chromium.
"use strict";
const puppeteer = require(process.env.BROWSER_MODULES + "/puppeteer-core");
const cases = require("./cases.js");

const sleep_ms = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const t = {
	page: null, // the tab
	said: [], // complaints: the console, scripts that threw, violations of the policy
	asked: [], // addresses of requests

	// A new tab, alone. What it says and asks is kept above.
	async tab(wanted = {}) {
		if (t.page) await t.page.close();
		const page = t.page = await t.browser.newPage();
		page.on("console", (m) => t.said.push(`${m.type()}: ${m.text()} (${m.location().url || ""})`));
		page.on("pageerror", (e) => t.said.push(`threw: ${e.stack || e}`));
		page.on("request", (r) => t.asked.push(r.url()));
		page.on("dialog", (d) => { t.said.push(`dialog: ${d.message()}`); d.dismiss(); });
		await page.setViewport({ width: wanted.width || 1280, height: 900 });
		await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: wanted.scheme || "light" }]);
		if (wanted.zone) await page.emulateTimezone(wanted.zone);
		return page;
	},
	// The tab at this address, once it has shown an answer.
	async open(url, wanted) {
		const page = await t.tab(wanted);
		await page.goto(url);
		await t.linked("live");
		return page;
	},
	async until(what, condition, seconds = 8) {
		const end = Date.now() + seconds * 10 * Number(process.env.TEST_SLOW_PERCENT || 100);
		for (;;) {
			const value = await condition();
			if (value) return value;
			if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
			await sleep_ms(50);
		}
	},
	linked(state, seconds) {
		return t.until(`the page is ${state}`, () => t.page.evaluate((s) => document.body.dataset.link === s, state), seconds);
	},
	// Until it shows an answer that is newer than the one it shows now.
	async fresh() {
		const shown = await t.page.$eval("#clock", (e) => e.dateTime);
		await t.until("a newer answer", async () => await t.page.$eval("#clock", (e) => e.dateTime) > shown);
	},
	// The rows of a table as people read them: [{heading: lines}].
	rows(kind) {
		return t.page.evaluate((id) => {
			const headings = Array.from(document.querySelectorAll(`#${id} thead th`), (th) => th.textContent);
			return Array.from(document.querySelectorAll(`#${id} tbody tr`), (tr) => Object.fromEntries(Array.from(tr.children,
				(cell, i) => [headings[i], Array.from(cell.children, (piece) => piece.textContent)])));
		}, kind);
	},
	text(selector) { return t.page.$eval(selector, (e) => e.innerText); },
	equal(got, want, what) {
		if (JSON.stringify(got) !== JSON.stringify(want))
			throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
	},
	holds(condition, what) { if (!condition) throw new Error(what); },
	sleep_ms,
};

async function answer(request) {
	const [name, ...args] = request.split("\x1f").slice(0, -1);
	try {
		const value = await cases[name](t, ...args);
		process.stdout.write("ok " + JSON.stringify(value === undefined ? null : value) + "\n");
	} catch (error) {
		process.stdout.write("no " + String(error && error.message || error).replace(/\s+/g, " ") + "\n");
	}
}

async function main() {
	t.browser = await puppeteer.launch({
		executablePath: process.env.BROWSER, pipe: true,
		// As root Chromium has no sandbox of its own. The tests run in one of theirs.
		args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", ...process.argv.slice(2)],
	});
	process.stdout.write("ok " + JSON.stringify(await t.browser.version()) + "\n");
	let waiting = "";
	process.stdin.setEncoding("utf8");
	for await (const part of process.stdin) {
		waiting += part;
		for (let end = waiting.indexOf("\0"); end >= 0; end = waiting.indexOf("\0")) {
			const request = waiting.slice(0, end);
			waiting = waiting.slice(end + 1);
			await answer(request);
		}
	}
	await t.browser.close();
}
main().catch((error) => {
	process.stdout.write("no " + String(error && error.stack || error).replace(/\s+/g, " ") + "\n");
	process.exit(1);
});
