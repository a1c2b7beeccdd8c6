// Opens the page of the API in a browser: every operation is there, one of each tag opens, a try-out with a token answers
// 200, and the browser has nothing to complain about. Its arguments are the page's URL, the browser, where the screenshot goes, and a
// token of the role catalog. Without a token it opens no operation and tries nothing out.
import puppeteer from "puppeteer-core";

const [url, executablePath, screenshot, token] = process.argv.slice(2);
const faults = [];

const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox"], protocolTimeout: 300_000, defaultViewport: { width: 1280, height: 1000 } });
try {
  const page = await browser.newPage();
  page.on("console", (line) => line.type() === "error" && faults.push(`the console shows: ${line.text()}`));
  page.on("pageerror", (error) => faults.push(`the page throws: ${error.message}`));
  page.on("response", (r) => r.status() >= 400 && faults.push(`${r.url()} answers ${r.status()}`));
  page.on("requestfailed", (r) => faults.push(`${r.url()} fails: ${r.failure()?.errorText}`));
  page.on("request", (r) => {
    if (!r.url().startsWith(`${new URL(url).origin}/`) && !r.url().startsWith("data:")) faults.push(`the page asks another host: ${r.url()}`);
  });

  const spec = await (await fetch(`${url}openapi.json`)).json();
  const operations = Object.values(spec.paths).flatMap((item) => Object.values(item)).filter((o) => o.operationId);
  page.setDefaultTimeout(240_000); // a busy machine
  await page.goto(url);
  await page.waitForSelector(".opblock");
  await page.screenshot({ path: screenshot });

  // The page takes seconds to resolve the references of an operation: of each tag, the first one with a body opens.
  const open = new Map();
  for (const operation of operations) {
    const before = open.get(operation.tags[0]);
    if (!before || (operation.requestBody && !before.requestBody)) open.set(operation.tags[0], operation);
  }
  for (const operation of operations) {
    const { tags, operationId } = operation;
    const block = await page.$(`#operations-${tags[0]}-${operationId}`);
    if (!block) {
      faults.push(`the page does not have the operation ${operationId}`);
      continue;
    }
    if (!token || open.get(tags[0]) !== operation) continue;
    await block.$eval(".opblock-summary-control", (summary) => summary.click());
    await block.waitForSelector(".opblock-body .responses-table").catch(() => faults.push(`the operation ${operationId} does not open`));
    await block.$eval(".opblock-summary-control", (summary) => summary.click());
  }
  const shown = (await page.$$(".opblock")).length;
  if (shown !== operations.length) faults.push(`the page has ${shown} operations, the document ${operations.length}`);

  if (token) {
    await page.click(".btn.authorize");
    await page.type(".auth-container input", token);
    await page.click(".auth-btn-wrapper .authorize");
    await page.click(".auth-btn-wrapper .btn-done");
    const tried = "#operations-catalog-listStaffProducts";
    await page.$eval(`${tried} .opblock-summary-control`, (summary) => summary.click());
    await (await page.waitForSelector(`${tried} .try-out__btn`)).click();
    await (await page.waitForSelector(`${tried} .execute`)).click();
    const answer = await page.waitForSelector(`${tried} .live-responses-table tbody .response-col_status`);
    const status = await answer.evaluate((cell) => cell.textContent.trim());
    if (!status.startsWith("200")) faults.push(`the try-out answers ${status}, want 200`);
  }
} finally {
  await browser.close();
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`the page shows every operation${token ? ", and a try-out answers 200" : ""}`);
