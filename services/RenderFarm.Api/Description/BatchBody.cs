using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace RenderFarm.Api.Description;

/// <summary>
/// The body of <c>POST /v1/batches</c> in its three forms; its handler reads the request itself, so routing knows none of them.
/// </summary>
internal static class BatchBody
{
    private const string Lines = "{\"prompt\":\"a red ball\",\"seed\":1}\n{\"prompt\":\"a blue ball\",\"seed\":2}\n";
    private const string Matrix =
        """{"matrix":{"prompt":["a red ball","a blue ball"],"seed":[1,2,3]},"base":{"steps":8},"metadata":{"film":"balls"}}""";

    public static OpenApiRequestBody Describe() =>
        new()
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/jsonl"] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.String,
                        Description = "One video request a line, as `POST /v1/videos` takes it, without pictures; up to 10,000 lines.",
                    },
                    Example = JsonValue.Create(Lines),
                },
                ["multipart/form-data"] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Required = new HashSet<string> { "file" },
                        Properties = new Dictionary<string, IOpenApiSchema>
                        {
                            ["file"] = new OpenApiSchema
                            {
                                Type = JsonSchemaType.String,
                                Format = "binary",
                                Description = "JSON Lines.",
                            },
                            ["metadata"] = Strings(),
                        },
                    },
                },
                ["application/json"] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Required = new HashSet<string> { "matrix" },
                        Properties = new Dictionary<string, IOpenApiSchema>
                        {
                            ["matrix"] = new OpenApiSchema
                            {
                                Type = JsonSchemaType.Object,
                                Description =
                                    "Fields of a video request, each with a list of values: one video for every combination, up to 10,000. "
                                    + "Up to 8 MiB of JSON; more comes as JSON Lines.",
                                AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array, MinItems = 1 },
                            },
                            ["base"] = new OpenApiSchema { Type = JsonSchemaType.Object, Description = "Fields that all of them share." },
                            ["metadata"] = Strings(),
                        },
                    },
                    Example = JsonNode.Parse(Matrix),
                },
            },
        };

    private static OpenApiSchema Strings() =>
        new()
        {
            Type = JsonSchemaType.Object,
            Description = "Up to 16 pairs, kept with the batch.",
            AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String },
        };
}
