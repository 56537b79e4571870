using System.Text.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace RenderFarm.Api.Description;

/// <summary>Enums are described by the words they have on the wire.</summary>
internal sealed class WordSchema : IOpenApiSchemaTransformer
{
    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type.IsEnum)
        {
            schema.Enum =
            [
                .. Enum.GetValues(type).Cast<object>().Select(member => JsonSerializer.SerializeToNode(member, type, Wire.Json)!),
            ];
        }

        return Task.CompletedTask;
    }
}
