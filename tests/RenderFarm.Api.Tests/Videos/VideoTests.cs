using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.Videos;

public sealed class VideoTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private readonly TestFarm _farm = fixture.Farm;

    [Fact]
    public async Task Create_Json_Answers200WithTheWholeShape()
    {
        var reply = await _farm.User.PostAsJsonAsync(
            "/v1/videos",
            new
            {
                prompt = "ein Ball rollt über 草地",
                model = "tiny",
                seconds = "1",
                size = "64x48",
                priority = 70,
                metadata = new { shot = "7" },
            }
        );

        Assert.Equal(200, (int)reply.StatusCode);
        var poll = int.Parse(reply.Headers.GetValues("openai-poll-after-ms").Single(), null);
        Assert.InRange(poll, 500, 10_000);
        var video = (JsonObject)await reply.JsonAsync();
        Assert.Equal(
            [
                "id", "object", "model", "status", "progress", "created_at", "completed_at", "expires_at", "prompt",
                "size", "seconds", "remixed_from_video_id", "error",
            ],
            video.Select(member => member.Key).Take(13)
        );
        Assert.Equal(
            ("video", "tiny", "queued", 0),
            ((string)video["object"]!, (string)video["model"]!, (string)video["status"]!, (int)video["progress"]!)
        );
        // One second at 8 fps is 8 frames, and the nearest 4n+1 is 9.
        Assert.Equal(("64x48", "1.125", 9), ((string)video["size"]!, (string)video["seconds"]!, (int)video["frames"]!));
        Assert.Equal("ein Ball rollt über 草地", (string)video["prompt"]!);
        Assert.Null(video["completed_at"]);
        Assert.Null(video["error"]);
        Assert.Equal(("queued", 70, "7"), ((string)video["stage"]!, (int)video["priority"]!, (string)video["metadata"]!["shot"]!));
        Assert.True((int)video["queue_position"]! >= 1);
    }

    [Fact]
    public async Task Create_WithoutASeed_DrawsOneAndTellsIt()
    {
        var (first, second) = ((long)(await _farm.SubmitAsync())["seed"]!, (long)(await _farm.SubmitAsync())["seed"]!);

        Assert.NotEqual(first, second);
        Assert.Equal(first, (long)(await _farm.SubmitAsync(new { prompt = "a ball", seed = first }))["seed"]!);
    }

    [Fact]
    public async Task Create_Multipart_QuotedOrNot_IsTheSameAsJson()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("a ball"), "prompt" },
            { new StringContent("3"), "\"seed\"" },
            { new StringContent("7"), "metadata[shot]" },
            { new StringContent("2"), "steps" },
        };
        var reply = await _farm.User.PostAsync("/v1/videos", form);
        var video = await reply.JsonAsync();

        Assert.Equal(200, (int)reply.StatusCode);
        Assert.Equal((3, 2, "7"), ((int)video["seed"]!, (int)video["steps"]!, (string)video["metadata"]!["shot"]!));
    }

    [Fact]
    public async Task Create_AFileForATextModel_IsUnsupportedImage()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("a ball"), "prompt" },
            { new ByteArrayContent([1, 2, 3]), "input_reference", "first.png" },
        };

        var refusal = await (await _farm.User.PostAsync("/v1/videos", form)).RefusalAsync();

        Assert.Equal((400, "unsupported_image", "input_reference"), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Fact]
    public async Task Create_AnAlias_StandsForItsModel()
    {
        await using var other = await TestFarm.StartAsync("--Videos:Aliases:sora-2=tiny");
        await other.RegisterWorkerAsync();

        Assert.Equal("tiny", (string)(await other.SubmitAsync(new { prompt = "a", model = "sora-2" }))["model"]!);
    }

    [Fact]
    public async Task List_FiveVideosByTwo_TakesThreePagesAndMissesNone()
    {
        var tenant = await _farm.NewTenantAsync("submit", "read");
        var made = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            made.Add((string)(await _farm.SubmitAsync(by: tenant))["id"]!);
        }

        foreach (var order in (string[])["asc", "desc"])
        {
            var (seen, pages, after) = (new List<string>(), 0, "");
            JsonNode page;
            do
            {
                page = await (
                    await tenant.GetAsync($"/v1/videos?limit=2&order={order}{(after.Length > 0 ? $"&after={after}" : "")}")
                ).JsonAsync();
                Assert.Equal("list", (string)page["object"]!);
                seen.AddRange(page["data"]!.AsArray().Select(video => (string)video!["id"]!));
                Assert.Equal((string)page["data"]![0]!["id"]!, (string)page["first_id"]!);
                (pages, after) = (pages + 1, (string)page["last_id"]!);
            } while ((bool)page["has_more"]!);

            Assert.Equal(3, pages);
            Assert.Equal(order == "asc" ? made : Enumerable.Reverse(made), seen);
        }
    }

    [Fact]
    public async Task List_OfNothing_IsAnEmptyPage()
    {
        var page = await (await (await _farm.NewTenantAsync("read")).GetAsync("/v1/videos")).JsonAsync();

        Assert.Empty(page["data"]!.AsArray());
        Assert.False((bool)page["has_more"]!);
        Assert.Null(page["last_id"]);
    }

    [Fact]
    public async Task Video_OfAnotherTenant_DoesNotExist()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;
        var stranger = await _farm.NewTenantAsync("submit", "read");

        foreach (
            var (method, path) in new[]
            {
                ("GET", id),
                ("DELETE", id),
                ("POST", id + "/cancel"),
                ("GET", id + "/content"),
                ("GET", id + "/attempts"),
            }
        )
        {
            Assert.Equal(
                404,
                (
                    await (await stranger.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"/v1/videos/{path}"))).RefusalAsync()
                ).Status
            );
        }

        Assert.Equal(200, (int)(await _farm.User.GetAsync($"/v1/videos/{id}")).StatusCode);
    }

    [Fact]
    public async Task Cancel_AQueuedVideo_EndsItAtOnce_AndOnceMoreChangesNothing()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;

        for (var i = 0; i < 2; i++)
        {
            var video = await (await _farm.User.PostAsync($"/v1/videos/{id}/cancel", null)).JsonAsync();
            Assert.Equal(("failed", "cancelled"), ((string)video["status"]!, (string)video["error"]!["code"]!));
        }
    }

    [Fact]
    public async Task Retry_ACancelledVideo_QueuesTheSameOneAgain()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;
        await _farm.User.PostAsync($"/v1/videos/{id}/cancel", null);

        var video = await (await _farm.User.PostAsync($"/v1/videos/{id}/retry", null)).JsonAsync();

        Assert.Equal((id, "queued"), ((string)video["id"]!, (string)video["status"]!));
        Assert.Null(video["error"]);
    }

    [Fact]
    public async Task Retry_AQueuedVideo_IsWrongState_ButTheSdksOwnRepeatIsAnswered()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;
        var reply = await _farm.User.PostAsync($"/v1/videos/{id}/retry", null);
        Assert.Equal("false", reply.Headers.GetValues("x-should-retry").Single());
        Assert.Equal((409, "wrong_state"), await reply.RefusalAsync() is var r ? (r.Status, r.Code) : default);

        var repeat = new HttpRequestMessage(HttpMethod.Post, $"/v1/videos/{id}/retry") { Headers = { { "X-Stainless-Retry-Count", "1" } } };
        Assert.Equal(200, (int)(await _farm.User.SendAsync(repeat)).StatusCode);
    }

    [Fact]
    public async Task Delete_AVideo_RemovesItFromSight()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;

        var gone = await (await _farm.User.DeleteAsync($"/v1/videos/{id}")).JsonAsync();

        Assert.Equal((id, "video.deleted", true), ((string)gone["id"]!, (string)gone["object"]!, (bool)gone["deleted"]!));
        Assert.Equal(404, (await (await _farm.User.GetAsync($"/v1/videos/{id}")).RefusalAsync()).Status);
    }

    [Fact]
    public async Task Create_PriorityAboveTheKeysCeiling_Is403()
    {
        var made = await _farm.User.PostAsJsonAsync(
            "/v1/keys",
            new
            {
                name = "low",
                scopes = new[] { "submit", "read" },
                priority_ceiling = 40,
            }
        );
        var low = _farm.ClientWith((string)(await made.JsonAsync())["key"]!);

        var refusal = await (await low.PostAsJsonAsync("/v1/videos", new { prompt = "a", priority = 41 })).RefusalAsync();
        Assert.Equal((403, "priority_above_ceiling", "priority"), (refusal.Status, refusal.Code, refusal.Param));

        // Silence is never refused: the default comes down to the ceiling.
        Assert.Equal(40, (int)(await _farm.SubmitAsync(by: low))["priority"]!);
    }
}
