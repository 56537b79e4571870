using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using RenderFarm.Testing.Clips;
using RenderFarm.Testing.Farms;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Benchmarks;

/// <summary>
/// Asks a farm for clips of captions that a trained demo model has not seen, and reads from the files what they show:
/// from words alone, and with a first frame given. Knows nothing of how the model was trained.
/// </summary>
internal static class DemoModelBenchmark
{
    private const double Wanted = 0.9;
    private const int PictureWidth = 128;
    private const int PictureHeight = 96;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(60);

    public static async Task<int> RunAsync(string model, int captionCount, int pictures, FigureReport report)
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(model));
        var all = Caption.All();
        if (!File.Exists(Path.Combine(folder, "model.json")))
        {
            throw VerbException.Wrong($"--model is '{model}': there is no model.json in it");
        }
        if (captionCount > all.Count)
        {
            throw VerbException.Wrong($"--captions is '{captionCount}': it must be a whole number from 1 to {all.Count}");
        }
        IReadOnlyList<Caption> captions = [.. all.Take(captionCount)];
        await using var farm = await FarmUnderTest.StartAsync(
            new FarmSetup
            {
                More = new Dictionary<string, string>
                {
                    ["Models__Directory"] = Path.GetDirectoryName(folder)!,
                    ["Videos__DefaultModel"] = Path.GetFileName(folder),
                },
            }
        );
        var clock = Stopwatch.StartNew();
        var texts = await SeeAllAsync(farm, captions, picture: false);
        var seconds = clock.Elapsed.TotalSeconds / captions.Count;
        var given = await SeeAllAsync(farm, [.. captions.Take(pictures)], picture: true);

        foreach (var look in texts.Concat(given).Where(look => !look.IsRight))
        {
            report.Say(
                $"wrong: {look.Caption.Text}: {look.Sight.Color}, {look.Sight.Direction}, on "
                    + $"{look.Sight.Background}{(look.Pictured ? " (first frame given)" : "")}"
            );
        }

        report.Add(Figure.Least("right colour and direction", Share(texts, look => look.IsRight), "of 1", Wanted));
        report.Figure("right colour", Share(texts, look => look.Sight.Color == look.Caption.Color), "of 1");
        report.Figure("right direction", Share(texts, look => look.Sight.Direction == look.Caption.Direction), "of 1");
        report.Figure("right background", Share(texts, look => look.Sight.Background == look.Caption.Background), "of 1");
        report.Figure("right colour and direction, first frame given", Share(given, look => look.IsRight), "of 1");
        report.Figure("a clip", seconds, "s");
        report.Details["captions"] = texts.Count;
        report.Details["first_frames_given"] = given.Count;
        return report.Finish();
    }

    private static async Task<List<Look>> SeeAllAsync(FarmUnderTest farm, IReadOnlyList<Caption> captions, bool picture)
    {
        var ids = new List<string>();
        for (var i = 0; i < captions.Count; i++)
        {
            using var form = new MultipartFormDataContent
            {
                { new StringContent(captions[i].Text), "prompt" },
                { new StringContent(i.ToString(CultureInfo.InvariantCulture)), "seed" },
            };
            if (picture)
            {
                var file = new ByteArrayContent(await FirstFrames.Draw(captions[i], PictureWidth, PictureHeight).PngAsync(0));
                file.Headers.ContentType = new MediaTypeHeaderValue("image/png");
                form.Add(file, "input_reference", "first.png");
            }
            using var answer = await farm.PostAsync("/v1/videos", form);
            var body = await answer.Content.ReadAsStringAsync();
            if (!answer.IsSuccessStatusCode)
            {
                throw new InvalidOperationException($"submit answered {(int)answer.StatusCode}: {body}");
            }

            ids.Add(JsonDocument.Parse(body).RootElement.GetProperty("id").GetString()!);
        }
        var looks = new List<Look>();
        foreach (var (id, caption) in ids.Zip(captions))
        {
            var video = await farm.CompletedAsync(id, Patience);
            var size = video
                .GetProperty("size")
                .GetString()!
                .Split('x')
                .Select(side => int.Parse(side, CultureInfo.InvariantCulture))
                .ToArray();
            var clip = await Clip.ReadAsync(
                await farm.Http.GetByteArrayAsync(new Uri($"/v1/videos/{id}/content", UriKind.Relative)),
                size[0],
                size[1]
            );
            looks.Add(new Look(caption, Sight.Of(clip), picture));
            if (looks.Count % 20 == 0)
            {
                Console.Error.WriteLine($"{looks.Count} of {captions.Count}: {looks.Count(look => look.IsRight)} right");
            }
        }
        return looks;
    }

    private static double Share(List<Look> looks, Func<Look, bool> right) =>
        looks.Count == 0 ? 0 : looks.Count(right) / (double)looks.Count;

    private sealed record Look(Caption Caption, Sight Sight, bool Pictured)
    {
        public bool IsRight => Sight.Color == Caption.Color && Sight.Direction == Caption.Direction;
    }
}
