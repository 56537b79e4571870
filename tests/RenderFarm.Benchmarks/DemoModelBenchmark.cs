using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using RenderFarm.Testing.Clips;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Benchmarks;

/// <summary>
/// Asks a farm for clips of captions that a trained demo model has not seen, and reads from the files what they show:
/// from words alone, and with a first frame given. Knows nothing of how the model was trained.
/// </summary>
internal static class DemoModelBenchmark
{
    private const double Wanted = 0.9;
    private const int PictureWidth = 128,
        PictureHeight = 96;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(60);

    public static async Task<int> RunAsync(string[] arguments)
    {
        var (captions, pictures, report, folder) = Parse(arguments);
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
            Console.Out.WriteLine(
                $"wrong: {look.Caption.Text}: {look.Sight.Color}, {look.Sight.Direction}, on "
                    + $"{look.Sight.Background}{(look.Pictured ? " (first frame given)" : "")}"
            );
        }

        var figures = new Dictionary<string, double>
        {
            ["captions"] = texts.Count,
            ["color"] = Share(texts, look => look.Sight.Color == look.Caption.Color),
            ["direction"] = Share(texts, look => look.Sight.Direction == look.Caption.Direction),
            ["color_and_direction"] = Share(texts, look => look.IsRight),
            ["background"] = Share(texts, look => look.Sight.Background == look.Caption.Background),
            ["first_frames_given"] = given.Count,
            ["first_frame_color_and_direction"] = Share(given, look => look.IsRight),
            ["seconds_a_clip"] = seconds,
            ["cores"] = Environment.ProcessorCount,
        };
        foreach (var (name, value) in figures)
        {
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-32} {value:0.###}"));
        }

        var good = figures["color_and_direction"] >= Wanted;
        Console.Out.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{(good ? "PASS" : "FAIL")}: right colour and direction in {figures["color_and_direction"]:0.0%} of {texts.Count} unseen "
                    + $"captions, {Wanted:0%} wanted"
            )
        );
        if (report is not null)
        {
            await File.WriteAllTextAsync(report, JsonSerializer.Serialize(figures, Indented) + "\n");
        }

        return good ? 0 : 1;
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

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

    private static (IReadOnlyList<Caption> Captions, int Pictures, string? Report, string Model) Parse(string[] arguments)
    {
        var (captions, pictures, report, model) = (200, 20, (string?)null, (string?)null);
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : throw new ArgumentException($"{arguments[i]} needs a value");
            switch (arguments[i])
            {
                case "--captions":
                    captions = Whole(arguments[i], value);
                    break;
                case "--pictures":
                    pictures = Whole(arguments[i], value);
                    break;
                case "--report":
                    report = value;
                    break;
                case "--model":
                    model = Path.TrimEndingDirectorySeparator(Path.GetFullPath(value));
                    break;
                default:
                    throw new ArgumentException(
                        $"unknown option {arguments[i]}; it takes --captions N --pictures N --report FILE --model FOLDER"
                    );
            }
        }
        if (model is null || !File.Exists(Path.Combine(model, "model.json")))
        {
            throw new ArgumentException("--model FOLDER is needed: a model as the trainer leaves it, with its model.json");
        }

        var all = Caption.All();
        if (captions > all.Count || captions < 1)
        {
            throw new ArgumentException($"--captions is 1 to {all.Count}");
        }

        return ([.. all.Take(captions)], Math.Min(pictures, captions), report, model);
    }

    private static int Whole(string name, string value) =>
        int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number >= 0
            ? number
            : throw new ArgumentException($"{name} is a whole number, not '{value}'");

    private sealed record Look(Caption Caption, Sight Sight, bool Pictured)
    {
        public bool IsRight => Sight.Color == Caption.Color && Sight.Direction == Caption.Direction;
    }
}
