// Shows the API's document, which is beside the page. "Authorize" takes the token that `make token` prints.
(async () => {
  const answer = await fetch("openapi.json");
  const spec = await answer.json();
  if (answer.headers.has("x-request-id")) {
    spec.servers = [{ url: location.origin }]; // the API serves this page
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
