using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Api.Description;

/// <summary>What holds for the whole interface: what it is, how to be let in, the shape of a refusal.</summary>
internal sealed class FarmDocument : IOpenApiDocumentTransformer
{
    public const string SecurityScheme = "api_key";

    /// <summary>The component that every refusal refers to.</summary>
    public const string Error = "Error";

    /// <summary>The form of <c>VideoFields</c> in which pictures are file parts.</summary>
    private const string Form = "VideoForm";

    private const string About = """
        Video generation with Wan 2.x models, in the shape of the OpenAI Videos API: point an OpenAI SDK at this address and it works.

        Submit with `POST /v1/videos`, wait by `GET /v1/videos/{id}` or its `/events`, download from `/content`. The keys that the
        OpenAI shape does not have (`steps`, `loras`, `plan`, `webhook_url`, …) are optional.

        Every refusal is `application/problem+json` with an `error` object beside it: `code` is for programs, `message` for people,
        `param` names the field. `x-request-id` finds a request in the log. On 429 and 503 `Retry-After` says when to come back.
        """;

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "RenderFarm",
            Version = "1",
            Description = About,
            License = new OpenApiLicense { Name = "Apache License 2.0", Identifier = "Apache-2.0" },
        };
        NameServers(document);
        DescribeTags(document);
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [SecurityScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "rf_…",
                Description =
                    "An API key. `./farm keys show` prints the local farm's first one; administrators make more with `POST /v1/keys`.",
            },
        };
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
        document.Components.Schemas[Error] = Refusal();
        GiveSubmitItsForm(document);
        return Task.CompletedTask;
    }

    /// <summary>Paths begin with a slash, so that an address must not end in one.</summary>
    private static void NameServers(OpenApiDocument document)
    {
        foreach (var server in document.Servers ?? [])
        {
            server.Url = server.Url?.TrimEnd('/');
        }
    }

    /// <summary>
    /// In the order of <see cref="Tags.All"/>; one that is not there keeps its place at the end, and the linter asks for its words.
    /// </summary>
    private static void DescribeTags(OpenApiDocument document)
    {
        var used = (document.Tags ?? new HashSet<OpenApiTag>()).ToDictionary(tag => tag.Name!);
        foreach (var (name, description) in Tags.All)
        {
            if (used.TryGetValue(name, out var tag))
            {
                tag.Description = description;
            }
        }

        var order = Tags.All.Select((tag, place) => (tag.Name, place)).ToDictionary(tag => tag.Name, tag => tag.place);
        document.Tags = used.Values.OrderBy(tag => order.GetValueOrDefault(tag.Name!, int.MaxValue)).ToHashSet();
    }

    private static OpenApiSchema Refusal()
    {
        return Object(
            ("type", Text("`urn:renderfarm:error:` and the code")),
            ("title", Text("The status in words")),
            ("status", new OpenApiSchema { Type = JsonSchemaType.Integer }),
            ("detail", Text("What is wrong and what would be accepted")),
            ("traceId", Text("Finds the request in logs and traces")),
            (
                "error",
                Object(
                    ("message", Text("The detail again, where OpenAI clients look for it")),
                    ("type", Text("The class of the error, as OpenAI clients know it")),
                    ("param", new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Null, Description = "The field at fault" }),
                    ("code", Text("For programs; stable"))
                )
            )
        );

        static OpenApiSchema Text(string about) => new() { Type = JsonSchemaType.String, Description = about };

        static OpenApiSchema Object(params (string Name, OpenApiSchema Schema)[] members) =>
            new()
            {
                Type = JsonSchemaType.Object,
                Required = members.Select(member => member.Name).ToHashSet(),
                Properties = members.ToDictionary(member => member.Name, IOpenApiSchema (member) => member.Schema),
            };
    }

    private static void GiveSubmitItsForm(OpenApiDocument document)
    {
        if (
            document.Components?.Schemas is not { } schemas
            || !schemas.TryGetValue("VideoFields", out var fields)
            || fields.Properties is null
            || !document.Paths.TryGetValue("/v1/videos", out var path)
            || path.Operations?.GetValueOrDefault(HttpMethod.Post)?.RequestBody?.Content is not { } content
            || !content.TryGetValue("multipart/form-data", out var form)
        )
        {
            return;
        }

        var properties = new Dictionary<string, IOpenApiSchema>(fields.Properties);
        foreach (var role in (string[])[InputRoles.FirstFrame, InputRoles.LastFrame])
        {
            properties[role] = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Format = "binary",
                Description = $"A file part. A link goes into `{role}[image_url]`.",
            };
        }

        schemas[Form] = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = fields.Required,
            Properties = properties,
        };
        form.Schema = new OpenApiSchemaReference(Form, document);
    }
}
