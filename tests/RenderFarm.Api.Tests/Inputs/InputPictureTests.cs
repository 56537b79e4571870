using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RenderFarm.Api.Outbound;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;

namespace RenderFarm.Api.Tests.Inputs;

/// <summary>A farm with models that take pictures, and an internet of its own to fetch them from.</summary>
public sealed class PictureFarm : IAsyncLifetime
{
    private WebApplication _internet = null!;
    private string _workerId = "";

    public TestFarm Farm { get; private set; } = null!;

    /// <summary>Whether <c>/fading.png</c> is there.</summary>
    public bool Faded { get; set; }

    public async ValueTask InitializeAsync()
    {
        // 127.0.0.2 plays the internet: every name resolves to it but one, and it alone may be reached.
        var guard = new OutboundGuard(
            new OutboundOptions { AllowedNetworks = ["127.0.0.2/32"] },
            (name, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(name == "inside.example" ? "127.0.0.1" : "127.0.0.2")])
        );
        Farm = await TestFarm.StartAsync(builder => builder.Services.AddSingleton(guard));
        _workerId = await Farm.RegisterWorkerAsync(
            "w1",
            ModelShapes.Tiny,
            ModelShapes.Tiny with
            {
                Id = "tiny-i2v",
                Pictures = PictureConditioning.FirstLatentFrame,
            },
            ModelShapes.Tiny with
            {
                Id = "tiny-flf2v",
                Pictures = PictureConditioning.Channels,
            }
        );
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.2:0");
        _internet = builder.Build();
        _internet.MapGet("/a.png", () => Results.Bytes(SamplePictures.Png(), "text/html"));
        _internet.MapGet("/fading.png", () => Faded ? Results.NotFound() : Results.Bytes(SamplePictures.Png()));
        _internet.MapGet("/page", () => Results.Text("<html>not a picture</html>"));
        _internet.MapGet("/once", () => Results.Redirect("/a.png"));
        _internet.MapGet("/round", () => Results.Redirect("/round"));
        _internet.MapGet("/to-inside", () => Results.Redirect("http://inside.example/a.png"));
        _internet.MapGet("/to-literal", () => Results.Redirect("http://169.254.169.254/latest/meta-data"));
        _internet.MapGet("/to-file", () => Results.Redirect("file:///etc/passwd"));
        _internet.MapGet(
            "/huge",
            () =>
                Results.Stream(async body =>
                {
                    for (var i = 0; i < 64; i++)
                    {
                        await body.WriteAsync(new byte[1 << 20]);
                    }
                })
        );
        await _internet.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _internet.DisposeAsync();
        await Farm.DisposeAsync();
    }

    public string Web(string path) => $"http://pictures.example:{new Uri(_internet.Urls.First()).Port}{path}";

    /// <summary>The lease of this video; those of earlier tests go first.</summary>
    public async Task<LeaseGrant> LeaseAsync(string id)
    {
        LeaseGrant lease;
        do
        {
            lease = await Farm.LeaseAsync(_workerId) ?? throw new InvalidOperationException("nothing to lease");
        } while (lease.JobId != id);

        return lease;
    }
}

/// <summary>A picture's way from a request to the worker that renders from it, and what is turned away at the door.</summary>
public sealed class InputPictureTests(PictureFarm pictures) : IClassFixture<PictureFarm>
{
    private readonly TestFarm _farm = pictures.Farm;

    [Fact]
    public async Task Create_WithAFile_TheWorkerGetsIt()
    {
        var picture = SamplePictures.Jpeg;
        var video = await (await _farm.User.PostAsync("/v1/videos", Form("tiny-i2v", ("input_reference", picture)))).JsonAsync();

        var lease = await pictures.LeaseAsync((string)video["id"]!);
        var input = Assert.Single(lease.Inputs);
        Assert.Equal(("input_reference", "image/jpeg", (long)picture.Length), (input.Role, input.ContentType, input.SizeBytes));
        Assert.Equal(picture, await _farm.Worker.GetByteArrayAsync(input.Url));
    }

    [Fact]
    public async Task Create_WithAPictureAndNoSize_TakesItsProportions()
    {
        var tall = SamplePictures.Png(60, 240);
        var video = await _farm.SubmitAsync(
            new
            {
                prompt = "a",
                model = "tiny-i2v",
                input_reference = new { image_url = DataUrl(tall) },
            }
        );
        var size = ((string)video["size"]!).Split('x').Select(int.Parse).ToArray();

        Assert.True(size[1] > size[0] * 2, $"{size[0]}x{size[1]}");
        Assert.Equal(
            "64x48",
            (string)
                (
                    await _farm.SubmitAsync(
                        new
                        {
                            prompt = "a",
                            model = "tiny-i2v",
                            size = "64x48",
                            input_reference = new { image_url = DataUrl(tall) },
                        }
                    )
                )["size"]!
        );
    }

    [Fact]
    public async Task Create_WithBothPictures_InEveryWay_TheWorkerGetsBoth()
    {
        var video = await _farm.SubmitAsync(
            new
            {
                prompt = "a",
                model = "tiny-flf2v",
                input_reference = new { image_url = pictures.Web("/once") },
                last_frame = new { image_url = DataUrl(SamplePictures.WebP) },
            }
        );

        var lease = await pictures.LeaseAsync((string)video["id"]!);
        Assert.Equal(["input_reference", "last_frame"], lease.Inputs.Select(input => input.Role));
        Assert.Equal(["image/png", "image/webp"], lease.Inputs.Select(input => input.ContentType));
        Assert.Equal(SamplePictures.WebP, await _farm.Worker.GetByteArrayAsync(lease.Inputs[1].Url));
    }

    [Theory]
    [InlineData("http://127.0.0.1/a.png", "not a public address")]
    [InlineData("http://2130706433/a.png", "not a public address")]
    [InlineData("http://[::ffff:127.0.0.1]/a.png", "not a public address")]
    [InlineData("http://inside.example/a.png", "inside.example does not lead to a public address")]
    [InlineData("ftp://example.org/a.png", "http, https or data")]
    [InlineData("file:///etc/passwd", "http, https or data")]
    [InlineData("data:image/png,plain", "data:image/png;base64")]
    [InlineData("data:image/png;base64,!!!!", "not base64")]
    public async Task Create_FromAnAddressThatIsNotForUs_Is400(string url, string why) => await RefusedAsync(url, why);

    [Theory]
    [InlineData("/to-inside", "does not lead to a public address")]
    [InlineData("/to-literal", "redirects to an address that leads to 169.254.169.254")]
    [InlineData("/to-file", "redirects to an address that must be an absolute http")]
    [InlineData("/round", "more than 3 times")]
    [InlineData("/missing", "answered 404")]
    public async Task Create_FromALinkThatLeadsAstray_Is400(string path, string why) => await RefusedAsync(pictures.Web(path), why);

    [Fact]
    public async Task Create_FromALinkToSomethingElse_Is400UnsupportedImage()
    {
        var refusal = await (await PostAsync(pictures.Web("/page"))).RefusalAsync();

        Assert.Equal((400, "unsupported_image", "input_reference"), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Fact]
    public async Task Create_FromALinkWithoutEnd_Is413() =>
        Assert.Equal(
            (413, "too_large"),
            await (await PostAsync(pictures.Web("/huge"))).RefusalAsync() is var r ? (r.Status, r.Code) : default
        );

    [Theory]
    [InlineData("tiny", true, false, "unsupported_image", "input_reference")]
    [InlineData("tiny-i2v", true, true, "unsupported_image", "last_frame")]
    [InlineData("tiny-flf2v", false, false, "invalid_value", "input_reference")]
    [InlineData("tiny-flf2v", false, true, "invalid_value", "input_reference")]
    public async Task Create_PicturesThatTheModelDoesNotTakeOrLacks_Is400NamingThem(
        string model,
        bool first,
        bool last,
        string code,
        string param
    )
    {
        var files = new List<(string, byte[])>();
        if (first)
        {
            files.Add(("input_reference", SamplePictures.Jpeg));
        }

        if (last)
        {
            files.Add(("last_frame", SamplePictures.Jpeg));
        }

        var refusal = await (await _farm.User.PostAsync("/v1/videos", Form(model, [.. files]))).RefusalAsync();

        Assert.Equal((400, code, param), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Fact]
    public async Task Create_AFileUnderAnotherName_Is400NamingTheNearest()
    {
        var refusal = await (await _farm.User.PostAsync("/v1/videos", Form("tiny-i2v", ("last_fram", SamplePictures.Jpeg)))).RefusalAsync();

        Assert.Equal((400, "unknown_parameter", "last_fram"), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Contains("'last_frame'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_AFileOf21MiB_Is413NamingIt_AndLeavesNothingBehind()
    {
        var before = Spooled();
        var refusal = await (
            await _farm.User.PostAsync("/v1/videos", Form("tiny-i2v", ("input_reference", new byte[21 << 20])))
        ).RefusalAsync();

        Assert.Equal((413, "too_large", "input_reference"), (refusal.Status, refusal.Code, refusal.Param));
        await RenderFarm.Testing.Eventually.TrueAsync(
            () => Task.FromResult(Spooled() <= before),
            TimeSpan.FromSeconds(10),
            "the temporary file to go"
        );

        static int Spooled() => Directory.GetFiles(Path.GetTempPath(), "renderfarm-in-*").Length;
    }

    [Fact]
    public async Task Create_SentAgain_IsTheSameVideo_AlsoWhenTheLinkIsGone()
    {
        var fields = new
        {
            prompt = "a",
            model = "tiny-i2v",
            input_reference = new { image_url = pictures.Web("/fading.png") },
        };
        var first = (string)(await _farm.SubmitAsync(fields))["id"]!;
        pictures.Faded = true;
        Assert.Equal(400, (int)(await _farm.User.PostAsJsonAsync("/v1/videos", fields)).StatusCode);

        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/videos")
        {
            Content = JsonContent.Create(fields),
            Headers = { { "X-Stainless-Retry-Count", "1" } },
        };
        Assert.Equal(first, (string)(await (await _farm.User.SendAsync(request)).JsonAsync())["id"]!);
    }

    [Fact]
    public async Task Create_WithoutRoomInTheQuota_LeavesNoPictureBehind()
    {
        var key = await (await _farm.User.PostAsJsonAsync("/v1/keys", new { name = "t", quotas = new { queued = 0 } })).JsonAsync();
        using var tenant = _farm.ClientWith((string)key["key"]!);
        var before = await CountAsync();

        Assert.Equal(
            429,
            (int)(await tenant.PostAsync("/v1/videos", Form("tiny-i2v", ("input_reference", SamplePictures.Jpeg)))).StatusCode
        );
        Assert.Equal(before, await CountAsync());

        async Task<int> CountAsync() => await _farm.Artifacts.ListAsync("inputs/", CancellationToken.None).CountAsync();
    }

    [Fact]
    public async Task Remix_KeepsEverythingButThePrompt_PicturesIncluded()
    {
        var source = await (
            await _farm.User.PostAsync("/v1/videos", Form("tiny-i2v", ("input_reference", SamplePictures.Jpeg)))
        ).JsonAsync();
        var id = (string)source["id"]!;

        var remix = await (await _farm.User.PostAsJsonAsync($"/v1/videos/{id}/remix", new { prompt = "a blue ball" })).JsonAsync();

        Assert.Equal(
            (id, "a blue ball", "queued"),
            ((string)remix["remixed_from_video_id"]!, (string)remix["prompt"]!, (string)remix["status"]!)
        );
        Assert.Equal(
            ((long)source["seed"]!, (string)source["size"]!, (string)source["model"]!),
            ((long)remix["seed"]!, (string)remix["size"]!, (string)remix["model"]!)
        );
        await _farm.User.DeleteAsync($"/v1/videos/{id}");
        var lease = await pictures.LeaseAsync((string)remix["id"]!);
        Assert.Equal(SamplePictures.Jpeg, await _farm.Worker.GetByteArrayAsync(Assert.Single(lease.Inputs).Url));
    }

    [Fact]
    public async Task Remix_SentAgain_IsTheSameVideo_AndAnotherPromptAnother()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;
        async Task<string> RemixAsync(string prompt, int retry)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/videos/{id}/remix")
            {
                Content = JsonContent.Create(new { prompt }),
                Headers = { { "X-Stainless-Retry-Count", $"{retry}" } },
            };
            return (string)(await (await _farm.User.SendAsync(request)).JsonAsync())["id"]!;
        }

        var first = await RemixAsync("b", 0);
        Assert.Equal(first, await RemixAsync("b", 1));
        Assert.NotEqual(first, await RemixAsync("c", 1));
    }

    [Theory]
    [InlineData("""{}""", 400, "invalid_value", "prompt")]
    [InlineData("""{"prompt":"a","seed":1}""", 400, "unknown_parameter", "seed")]
    public async Task Remix_ABadBody_Is400(string body, int status, string code, string param)
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;
        var refusal = await (
            await _farm.User.PostAsync($"/v1/videos/{id}/remix", new StringContent(body, System.Text.Encoding.UTF8, "application/json"))
        ).RefusalAsync();

        Assert.Equal((status, code, param), (refusal.Status, refusal.Code, refusal.Param));
    }

    private async Task RefusedAsync(string url, string why)
    {
        var refusal = await (await PostAsync(url)).RefusalAsync();

        Assert.Equal((400, "invalid_value", "input_reference.image_url"), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    private Task<HttpResponseMessage> PostAsync(string url) =>
        _farm.User.PostAsJsonAsync(
            "/v1/videos",
            new
            {
                prompt = "a",
                model = "tiny-i2v",
                input_reference = new { image_url = url },
            }
        );

    private static string DataUrl(byte[] picture) => "data:image/anything;base64," + Convert.ToBase64String(picture);

    private static MultipartFormDataContent Form(string model, params (string Field, byte[] Content)[] files)
    {
        var form = new MultipartFormDataContent { { new StringContent("a ball"), "prompt" }, { new StringContent(model), "model" } };
        foreach (var (field, content) in files)
        {
            // What a client says of its file is not believed.
            form.Add(
                new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("text/plain") } },
                field,
                "../../etc/passwd"
            );
        }

        return form;
    }
}
