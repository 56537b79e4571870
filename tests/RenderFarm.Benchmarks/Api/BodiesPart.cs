using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Planning.Models;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// What a body costs: the most that the API's process has resident while it reads one, above what it had before. Each body meets a
/// process of its own that has seen small ones of its kind.
/// </summary>
internal static class BodiesPart
{
    private const int Mebibyte = 1 << 20;

    /// <summary>What the runtime takes between two collections whatever it reads; a small body disappears in it.</summary>
    private const double Floor = 16;
    private const double Refused = 64;

    private static readonly IReadOnlyList<Body> Bodies =
    [
        .. ((double[])[1, 8, 26]).Select(size => new Body($"picture in JSON, {size} MiB", size, true, "/v1/videos", InJson)),
        .. ((double[])[1, 8, 19]).Select(size => new Body($"picture in a form, {size} MiB", size, true, "/v1/videos", InForm)),
        .. ((double[])[1, 8, 63]).Select(size => new Body($"JSON Lines, {size} MiB", size, true, "/v1/batches", InLines)),
        .. ((double[])[1, 7.5]).Select(size => new Body($"matrix, {size} MiB", size, true, "/v1/batches", InMatrix)),
        .. ((double[])[1, 8, 27]).Select(size => new Body($"LoRAs that are numbers, {size} MiB", size, false, "/v1/videos", Numbers)),
        new("endless prompt, 31 MiB", 31, false, "/v1/videos", Prompt),
        new("picture in JSON that is none, 27 MiB", 27, false, "/v1/videos", NoPicture),
        new("form of long texts, 31 MiB", 31, false, "/v1/videos", Texts),
        new("JSON beyond the limit, 64 MiB", 64, false, "/v1/videos", Numbers),
        new("form beyond the limit, 64 MiB", 64, false, "/v1/videos", InForm),
        new("JSON Lines whose last is wrong, 63 MiB", 63, false, "/v1/batches", WrongLines),
        new("JSON Lines in one line, 63 MiB", 63, false, "/v1/batches", OneLine),
        new("matrix, 63 MiB", 63, false, "/v1/batches", InMatrix),
        new("batch of numbers, 63 MiB", 63, false, "/v1/batches", Numbers),
    ];

    public static async Task<Findings> MeasureAsync()
    {
        var (figures, details) = (new List<Figure>(), new JsonArray());
        foreach (var body in Bodies)
        {
            var (idle, peak, status) = await PeakAsync(body);
            var limit = body.IsTaken ? Math.Max(4 * body.Mebibytes, Floor) : Refused;
            figures.Add(Figure.Most($"{body.Name}, {(body.IsTaken ? "taken" : "refused")}: above idle", peak - idle, "MiB", limit));
            details.Add(
                (JsonNode)
                    new JsonObject
                    {
                        ["body"] = body.Name,
                        ["status"] = status,
                        ["idle_mib"] = Math.Round(idle, 1),
                        ["peak_mib"] = Math.Round(peak, 1),
                    }
            );
        }

        return new Findings(figures, new JsonObject { ["bodies"] = details });
    }

    private static async Task<(double Idle, double Peak, int Status)> PeakAsync(Body body)
    {
        await using var api = await ApiFarm.StartAsync(models: [ModelShapes.Tiny, TinyShapes.ImageToVideo]);
        for (var i = 0; i < 20; i++)
        {
            // What is compiled and pooled once is there
            await SendAsync(api, body with { Mebibytes = 0.0625 });
        }

        var process = api.Farm.Api.Id;
        var idle = Mebibytes(process, "VmRSS:");
        // From here on the kernel notes the most that is resident
        await File.WriteAllTextAsync($"/proc/{process}/clear_refs", "5");
        var status = await SendAsync(api, body);
        return status is >= 200 and < 300 == body.IsTaken && status is not (>= 500 or 401 or 403 or 429)
            ? (idle, Mebibytes(process, "VmHWM:"), status)
            : throw new InvalidOperationException($"{body.Name} was answered {status}");
    }

    private static async Task<int> SendAsync(ApiFarm api, Body body)
    {
        using var content = body.Make(body.Mebibytes);
        using var request = new HttpRequestMessage(HttpMethod.Post, body.Path) { Content = content };
        // A refusal need not wait for what is not read
        request.Headers.ExpectContinue = true;
        using var answer = await api.Http.SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();
        return (int)answer.StatusCode;
    }

    private static double Mebibytes(int process, string line) =>
        double.Parse(
            File.ReadLines($"/proc/{process}/status")
                .First(found => found.StartsWith(line, StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture
        ) / 1024;

    private static int Bytes(double mebibytes) => (int)(mebibytes * Mebibyte);

    /// <summary>A BMP, whose pixels may be followed by anything.</summary>
    private static byte[] Picture(int bytes)
    {
        var file = new byte[Math.Max(bytes, 2_048)];
        (file[0], file[1], file[10], file[14], file[18], file[22], file[26], file[28]) =
            ((byte)'B', (byte)'M', 54, 40, 24, 16, 1, 24);
        return file;
    }

    private static ByteArrayContent Text(string text, string type)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return content;
    }

    private static ByteArrayContent Json(string text) => Text(text, "application/json");

    private static HttpContent InJson(double size) =>
        Json(
            $$$"""{"prompt":"a","model":"tiny-i2v","input_reference":{"image_url":"data:image/bmp;base64,{{{Packed(size)}}}"}}"""
        );

    private static string Packed(double size) => Convert.ToBase64String(Picture((Bytes(size) / 4 * 3) - 300));

    private static HttpContent NoPicture(double size) =>
        Json(
            $$$"""{"prompt":"a","model":"tiny-i2v","input_reference":{"image_url":"data:image/bmp;base64,{{{Letters(size)}}}"}}"""
        );

    private static string Letters(double size) => new('A', Bytes(size) / 4 * 4);

    private static HttpContent InForm(double size)
    {
        var form = new MultipartFormDataContent { { new StringContent("a"), "prompt" }, { new StringContent("tiny-i2v"), "model" } };
        form.Add(new ByteArrayContent(Picture(Bytes(size))), "input_reference", "a.bmp");
        return form;
    }

    private static HttpContent Texts(double size)
    {
        var form = new MultipartFormDataContent();
        for (var i = 0; i < Math.Max(1, size); i++)
        {
            form.Add(new StringContent(new string('a', Math.Min(Bytes(size), Mebibyte - 1))), $"text{i}");
        }

        return form;
    }

    private static HttpContent Numbers(double size) =>
        Json("{\"prompt\":\"a\",\"loras\":[1" + string.Concat(Enumerable.Repeat(",1", (Bytes(size) - 30) / 2)) + "]}");

    private static HttpContent Prompt(double size) => Json($$"""{"prompt":"{{new string('a', Math.Max(Bytes(size), 300_000))}}"}""");

    /// <summary>As many videos as a batch may have, where they are long enough.</summary>
    private static string[] Prompts(double size)
    {
        var count = Math.Clamp(Bytes(size) / 800, 1, 10_000);
        var length = (Bytes(size) / count) - 60;
        return [.. Enumerable.Range(0, count).Select(i => $"clip {i} ".PadRight(length, 'a'))];
    }

    private static HttpContent InLines(double size) =>
        Text(string.Join('\n', Prompts(size).Select(prompt => $$"""{"prompt":"{{prompt}}","model":"tiny"}""")), "application/jsonl");

    private static HttpContent WrongLines(double size) =>
        Text(
            string.Join('\n', Prompts(size).Skip(1).Select(prompt => $$"""{"prompt":"{{prompt}}","model":"tiny"}""").Append("{}")),
            "application/jsonl"
        );

    private static HttpContent OneLine(double size) =>
        Text($$"""{"prompt":"{{new string('a', Math.Max(Bytes(size), 300_000))}}"}""", "application/jsonl");

    private static HttpContent InMatrix(double size) =>
        Json($$$"""{"matrix":{"prompt":["{{{string.Join("\",\"", Prompts(size))}}}"]},"base":{"model":"tiny"}}""");

    /// <param name="Make">A body of this kind of so many MiB.</param>
    private sealed record Body(string Name, double Mebibytes, bool IsTaken, string Path, Func<double, HttpContent> Make);
}
