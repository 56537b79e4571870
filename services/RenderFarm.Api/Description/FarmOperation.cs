using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace RenderFarm.Api.Description;

/// <summary>What the routes themselves don't say: which key an operation wants, its query and headers, its refusals, examples.</summary>
internal sealed class FarmOperation : IOpenApiOperationTransformer
{
    private static readonly Dictionary<int, string> Refusals = new()
    {
        [400] =
            "A field or parameter is wrong: `invalid_request`, `invalid_value`, `unknown_parameter`, `unknown_model`, `unsupported_image`",
        [401] = "`invalid_api_key`, `key_revoked`, `invalid_invitation`",
        [403] = "`missing_scope`, `priority_above_ceiling`, `wrong_worker`",
        [404] = "`not_found`, `expired`; another tenant's things are not found either",
        [409] =
            "`idempotency_conflict`, `wrong_state`, `content_not_ready`, `content_damaged`, `count_changed`, `lease_lost`, `upload_ended`",
        [413] = "`too_large`",
        [415] = "`unsupported_media_type`",
        [422] = "`plan_does_not_fit`, with the figures",
        [429] = "`rate_limited`, `quota_exceeded`, `too_many_streams`; see `Retry-After`",
        [503] = "`unavailable`; see `Retry-After`",
    };

    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var description = context.Description;
        var (method, path) = (description.HttpMethod ?? "GET", "/" + description.RelativePath?.TrimEnd('/'));
        operation.OperationId = OperationId(method, path);
        var scope = description.ActionDescriptor.EndpointMetadata.OfType<IAuthorizeData>().FirstOrDefault()?.Policy;
        if (scope is not null)
        {
            operation.Security =
            [
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(FarmDocument.SecurityScheme, context.Document)] = [] },
            ];
            operation.Description = $"Needs a key with the scope `{scope}`.";
        }
        else
        {
            operation.Security = [];
            operation.Description = "Needs no key.";
        }

        if ((method, path) is ("POST", "/v1/batches"))
        {
            operation.RequestBody = BatchBody.Describe();
        }

        AddParameters(operation, method, path);
        AddOtherAnswers(operation, path);
        foreach (var status in RefusalsOf(operation, method, path, scope))
        {
            operation.Responses ??= [];
            operation.Responses.TryAdd(
                status.ToString(System.Globalization.CultureInfo.InvariantCulture),
                new OpenApiResponse
                {
                    Description = Refusals[status],
                    Content = new Dictionary<string, OpenApiMediaType>
                    {
                        ["application/problem+json"] = new()
                        {
                            Schema = new OpenApiSchemaReference(FarmDocument.Error, context.Document),
                            Example = Examples.Refusals.TryGetValue(status, out var example) ? JsonNode.Parse(example) : null,
                        },
                    },
                }
            );
        }

        AddExamples(operation, method, path);
        return Task.CompletedTask;
    }

    /// <summary><c>POST /v1/videos/{id}/remix</c> is <c>post_videos_id_remix</c>: stable, whatever handlers are called.</summary>
    private static string OperationId(string method, string path) =>
        string.Join(
            '_',
            path.Split('/', StringSplitOptions.RemoveEmptyEntries)
                .Where(part => part != "v1")
                .Select(part => part.Trim('{', '}'))
                .Prepend(method.ToLowerInvariant())
        );

    private static IEnumerable<int> RefusalsOf(OpenApiOperation operation, string method, string path, string? scope)
    {
        var hasBody = operation.RequestBody is not null;
        var creates = Creates(method, path);
        return new (int Status, bool Applies)[]
        {
            (400, hasBody || operation.Parameters?.Any(parameter => parameter.In == ParameterLocation.Query) == true),
            (401, scope is not null || path is "/worker/v1/enroll"),
            (403, scope is not null),
            (404, path.Contains('{', StringComparison.Ordinal)),
            (
                409,
                creates
                    || path is "/v1/videos/bulk" or "/v1/videos/{id}" && method is "PATCH" or "POST"
                    || path.EndsWith("/rotate", StringComparison.Ordinal)
                    || path.EndsWith("/content", StringComparison.Ordinal)
                    || path.StartsWith("/worker/v1/leases/", StringComparison.Ordinal)
            ),
            (413, hasBody),
            (415, hasBody),
            (422, path is "/v1/videos" && hasBody),
            (429, scope is not null || path is "/worker/v1/enroll"),
            (503, scope is not null || path is "/worker/v1/enroll"),
        }
            .Where(refusal => refusal.Applies)
            .Select(refusal => refusal.Status);
    }

    /// <summary>Where the rules of repeats hold.</summary>
    private static bool Creates(string method, string path) =>
        method == "POST"
        && (
            path is "/v1/videos" or "/v1/batches"
            || path.EndsWith("/remix", StringComparison.Ordinal)
            || path.EndsWith("/retry", StringComparison.Ordinal)
        );

    private static void AddParameters(OpenApiOperation operation, string method, string path)
    {
        operation.Parameters ??= [];
        if (Creates(method, path))
        {
            Add(
                "Idempotency-Key",
                ParameterLocation.Header,
                "The same key and body again: the same video. The same key with another body: 409.",
                new() { Type = JsonSchemaType.String, MaxLength = 255 }
            );
        }

        switch (method, path)
        {
            case ("GET", "/v1/videos"):
                Add(
                    "limit",
                    ParameterLocation.Query,
                    "How many, 0 to 100.",
                    new()
                    {
                        Type = JsonSchemaType.Integer,
                        Minimum = "0",
                        Maximum = "100",
                        Default = 20,
                    }
                );
                Add("after", ParameterLocation.Query, "The `last_id` of the page before.", new() { Type = JsonSchemaType.String });
                Add("order", ParameterLocation.Query, "By the time of submission.", Words("desc", "asc"));
                foreach (var (name, about, schema) in VideoFilterSchema.Parameters)
                {
                    Add(name, ParameterLocation.Query, about, schema);
                }

                break;
            case (_, "/v1/videos/{id}/content"):
                Add("variant", ParameterLocation.Query, "Which file of the video.", Words("video", "thumbnail", "spritesheet"));
                Add(
                    "Range",
                    ParameterLocation.Header,
                    "One range of bytes, such as `bytes=0-1023`.",
                    new() { Type = JsonSchemaType.String }
                );
                break;
            case ("GET", "/v1/videos/{id}/events"):
                AddPlace();
                Add(
                    "preview",
                    ParameterLocation.Query,
                    "Also `video.preview` events, with a small picture of what the video is becoming.",
                    new() { Type = JsonSchemaType.Boolean, Default = false }
                );
                break;
            case ("GET", "/v1/events"):
                AddPlace();
                break;
            case ("DELETE", "/v1/workers/invitations"):
                Add("id", ParameterLocation.Query, "Which one; without it, all of them.", new() { Type = JsonSchemaType.String });
                break;
        }

        void AddPlace()
        {
            Add(
                "Last-Event-ID",
                ParameterLocation.Header,
                "The `id` of the last event that was seen: what came after it is sent.",
                new() { Type = JsonSchemaType.String }
            );
            Add("after", ParameterLocation.Query, "The same, for clients that can't send headers.", new() { Type = JsonSchemaType.String });
        }

        void Add(string name, ParameterLocation where, string about, OpenApiSchema schema)
        {
            if (operation.Parameters.All(parameter => parameter.Name != name))
            {
                operation.Parameters.Add(
                    new OpenApiParameter
                    {
                        Name = name,
                        In = where,
                        Description = about,
                        Schema = schema,
                    }
                );
            }
        }

        static OpenApiSchema Words(params string[] words) =>
            new()
            {
                Type = JsonSchemaType.String,
                Enum = [.. words.Select(word => (JsonNode)word)],
                Default = words[0],
            };
    }

    /// <summary>What is neither the usual answer nor a refusal.</summary>
    private static void AddOtherAnswers(OpenApiOperation operation, string path)
    {
        var answers = operation.Responses ??= [];
        switch (path)
        {
            case "/v1/videos/{id}/content":
                answers.TryAdd("206", new OpenApiResponse { Description = "The part that `Range` asked for" });
                answers.TryAdd("304", new OpenApiResponse { Description = "The client has it: `If-None-Match` names its `ETag`" });
                answers.TryAdd(
                    "416",
                    new OpenApiResponse { Description = "The range lies outside of the file; `Content-Range` has its size" }
                );
                break;
            case "/v1/videos/{id}/events":
                answers.TryAdd("204", new OpenApiResponse { Description = "The video has ended, and the client has been told" });
                break;
        }
    }

    private static void AddExamples(OpenApiOperation operation, string method, string path)
    {
        if (
            Examples.Requests.TryGetValue($"{method} {path}", out var requests)
            && operation.RequestBody?.Content is { } asked
            && asked.TryGetValue("application/json", out var body)
        )
        {
            body.Examples = requests.ToDictionary(
                request => request.Name,
                request => (IOpenApiExample)new OpenApiExample { Summary = request.Summary, Value = JsonNode.Parse(request.Json) }
            );
        }

        if (
            Examples.Replies.TryGetValue($"{method} {path}", out var reply)
            && operation.Responses?["200"].Content is { } answered
            && answered.TryGetValue("application/json", out var answer)
        )
        {
            answer.Example = JsonNode.Parse(reply);
        }
    }
}
