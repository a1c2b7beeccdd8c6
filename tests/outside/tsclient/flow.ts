// Uses the API by types that openapi-typescript has made from openapi.yaml (api.d.ts), and by openapi-fetch: registers,
// logs in, lists, creates, and meets a conflict. Its arguments are the API's URL, a token of the role catalog, and a word
// that is new to the API.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };

function must<T>(value: T | undefined, what: string, cause: unknown): T {
  if (value === undefined) throw new Error(`${what}: ${JSON.stringify(cause)}`);
  return value;
}

const [baseUrl, token, word] = process.argv.slice(2);
if (!baseUrl || !token || !word) throw new Error("usage: flow.js URL TOKEN WORD");
const shop = createClient<paths>({ baseUrl });
const staff = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

const email = `${word}@shop.example`;
const password = `battery staple ${word}`;
const registered = await shop.POST("/v1/auth/register", { body: { email, password, name: "Maria" } });
const user: components["schemas"]["RegisteredUser"] = must(registered.data, "register", registered.error);
const login = await shop.POST("/v1/auth/login", { body: { email, password } });
const tokens = must(login.data, "log in", login.error);
const me = await shop.GET("/v1/customers/me", { headers: { Authorization: `Bearer ${tokens.access_token}` } });
if (must(me.data, "read the profile", me.error).id !== user.id) throw new Error("the profile is another one");

const listed = await shop.GET("/v1/products", { params: { query: { limit: 1 } } });
if (must(listed.data, "list", listed.error).data.length > 1) throw new Error("the page is longer than its limit");

const body: components["schemas"]["CreateProduct"] = {
  sku: word.toUpperCase(), name: "Espresso cup", category: "kitchen", price: { amount_minor: 1250, currency: "EUR" },
};
const created = await staff.POST("/v1/products", { body });
if (must(created.data, "create", created.error).price.amount_minor !== 1250) throw new Error("the product has another price");
const again = await staff.POST("/v1/products", { body });
if (again.response.status !== 409 || !again.error || !("code" in again.error) || again.error.code !== "sku_exists") {
  throw new Error(`create again: got ${again.response.status} ${JSON.stringify(again.error)}, want 409 sku_exists`);
}
console.log("registered, logged in, listed, created, and met the conflict");
