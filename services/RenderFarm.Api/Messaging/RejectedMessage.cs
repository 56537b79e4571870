using System.Text;
using RabbitMQ.Client;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Messaging;

/// <summary>What a rejected message carries besides its body: what it came with, and why it is here. Never the key.</summary>
internal static class RejectedMessage
{
    private const int MaxReason = 1_000;

    /// <summary>All headers travel in one frame of 128 KiB.</summary>
    private const int MaxHeaderBytes = 64 << 10;

    public static BasicProperties Properties(IReadOnlyBasicProperties came, ApiError refusal, string keyHeader, DateTimeOffset now)
    {
        var headers = new Dictionary<string, object?>();
        var size = 0;
        foreach (var (name, value) in came.Headers ?? new Dictionary<string, object?>())
        {
            // The broker acts on CC and BCC: it would send copies elsewhere.
            if (!Is(name, keyHeader) && !Is(name, "CC") && !Is(name, "BCC") && size + SizeOf(name, value) <= MaxHeaderBytes)
            {
                size += SizeOf(name, value);
                headers[name] = value;
            }
        }

        headers["x-reason"] = Cut(refusal.Message);
        headers["x-reason-code"] = refusal.Code;
        headers["x-rejected-at"] = now.ToUnixTimeSeconds();
        if (refusal.Param is { } param)
        {
            headers["x-reason-param"] = Cut(param);
        }

        var properties = new BasicProperties(came) { Headers = headers, Persistent = true };
        // An expiry would lose it after all; another's user id would be refused by the broker.
        properties.ClearExpiration();
        properties.ClearUserId();
        return properties;

        static string Cut(string text) => text.Length <= MaxReason ? text : text[..MaxReason];

        static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Clients send strings as bytes.</summary>
    public static string? Text(object? value) =>
        value switch
        {
            string text => text,
            byte[] bytes => Encoding.UTF8.GetString(bytes),
            _ => null,
        };

    private static int SizeOf(string name, object? value) =>
        name.Length
        + value switch
        {
            byte[] bytes => bytes.Length,
            string text => text.Length,
            null or bool or byte or sbyte or short or ushort or int or uint or long or float or double or decimal or AmqpTimestamp => 16,
            System.Collections.IDictionary table => table.Keys.Cast<string>().Sum(key => SizeOf(key, table[key])),
            System.Collections.IEnumerable list => list.Cast<object?>().Sum(item => SizeOf("", item)),
            _ => MaxHeaderBytes,
        };
}
