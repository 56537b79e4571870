using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.BadInput;

/// <summary>An operation as the OpenAPI document describes it.</summary>
/// <param name="Path">With its parameters in braces.</param>
/// <param name="Body">The schema of its JSON body; null where it has none.</param>
/// <param name="BodyTypes">Content types it says it reads.</param>
internal sealed record DescribedOperation(
    HttpMethod Method,
    string Path,
    IReadOnlyList<DescribedParameter> Parameters,
    JsonNode? Body,
    IReadOnlyList<string> BodyTypes
)
{
    public bool IsOfWorkers => Path.StartsWith("/worker/", StringComparison.Ordinal);

    public static IReadOnlyList<DescribedOperation> AllOf(JsonNode document) =>
        [
            .. document["paths"]!
                .AsObject()
                .SelectMany(path =>
                    path.Value!.AsObject()
                        .Where(operation => operation.Key is "get" or "head" or "post" or "put" or "patch" or "delete")
                        .Select(operation => Of(operation.Key, path.Key, operation.Value!, path.Value!["parameters"]))
                ),
        ];

    private static DescribedOperation Of(string method, string path, JsonNode operation, JsonNode? shared)
    {
        var content = operation["requestBody"]?["content"]?.AsObject();
        return new DescribedOperation(
            HttpMethod.Parse(method),
            path,
            [
                .. (operation["parameters"] as JsonArray ?? [])
                    .Concat(shared as JsonArray ?? [])
                    .Select(parameter => new DescribedParameter((string)parameter!["name"]!, (string)parameter["in"]!)),
            ],
            content?["application/json"]?["schema"],
            content is null ? [] : [.. content.Select(form => form.Key)]
        );
    }
}

/// <param name="In"><c>path</c>, <c>query</c> or <c>header</c>.</param>
internal sealed record DescribedParameter(string Name, string In);
