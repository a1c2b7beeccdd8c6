// Opens the page of the API in a browser: every operation is there and opens, a try-out with a token answers 200, and the
// browser has nothing to complain about. Its arguments are the API's URL, a token of the role catalog, the browser, and
// where the screenshot goes.
import puppeteer from "puppeteer-core";

const [url, token, executablePath, screenshot] = process.argv.slice(2);
const faults = [];

const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox"], defaultViewport: { width: 1280, height: 1000 } });
try {
  const page = await browser.newPage();
  page.on("console", (line) => line.type() === "error" && faults.push(`the console shows: ${line.text()}`));
  page.on("pageerror", (error) => faults.push(`the page throws: ${error.message}`));
  page.on("requestfailed", (r) => faults.push(`${r.url()} fails: ${r.failure()?.errorText}`));
  page.on("request", (r) => {
    if (!r.url().startsWith(`${url}/`) && !r.url().startsWith("data:")) faults.push(`the page asks another host: ${r.url()}`);
  });

  const spec = await (await fetch(`${url}/openapi.json`)).json();
  const operations = Object.values(spec.paths).flatMap((item) => Object.values(item)).filter((o) => o.operationId);
  await page.goto(`${url}/docs/`, { waitUntil: "networkidle0" });
  await page.waitForSelector(".opblock");
  await page.screenshot({ path: screenshot });

  for (const { tags, operationId } of operations) {
    const block = await page.$(`#operations-${tags[0]}-${operationId}`);
    if (!block) {
      faults.push(`the page does not have the operation ${operationId}`);
      continue;
    }
    await block.$eval(".opblock-summary-control", (summary) => summary.click());
    await block.waitForSelector(".opblock-body .responses-table").catch(() => faults.push(`the operation ${operationId} does not open`));
    await block.$eval(".opblock-summary-control", (summary) => summary.click());
  }
  const shown = (await page.$$(".opblock")).length;
  if (shown !== operations.length) faults.push(`the page has ${shown} operations, the document ${operations.length}`);

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
} finally {
  await browser.close();
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log("the page shows every operation, and a try-out answers 200");
