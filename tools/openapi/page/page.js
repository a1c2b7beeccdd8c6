// Shows the API's document. "Authorize" takes the token that `make token` prints.
(async () => {
  let answer = await fetch("../openapi.json").catch(() => null);
  const byTheAPI = answer?.ok && answer.headers.has("x-request-id");
  if (!byTheAPI) {
    answer = await fetch("openapi.json"); // a web host without the API
  }
  const spec = await answer.json();
  if (byTheAPI) {
    spec.servers = [{ url: location.origin }]; // the API that serves this page
  }
  SwaggerUIBundle({
    spec,
    dom_id: "#page",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "list",
    persistAuthorization: false, // a token does not stay in the browser
    validatorUrl: null, // no third party sees the document
  });
})();
