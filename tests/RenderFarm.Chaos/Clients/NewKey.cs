using System.Net.Http.Json;
using System.Text.Json;

namespace RenderFarm.Chaos.Clients;

/// <summary>A user's API key.</summary>
internal static class NewKey
{
    public static async Task<string> MakeAsync(HttpClient admin, string name)
    {
        using var answer = await admin.PostAsJsonAsync("/v1/keys", new { name });
        answer.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("key").GetString()!;
    }
}
