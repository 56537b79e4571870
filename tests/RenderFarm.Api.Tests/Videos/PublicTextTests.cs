using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Api.Tests.Videos;

/// <summary>What a host said of a failure, as its tenants and as its operators see it.</summary>
public sealed class PublicTextTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private const string Said =
        "could not read /srv/farm/models/wan/block.safetensors: no such file\n"
        + "   at RenderFarm.Wan.Blocks.Read(String path) in /src/workers/Blocks.cs:line 12\n"
        + "--- End of stack trace from previous location ---\n"
        + "gave up";

    [Theory]
    [InlineData("out of memory: 3.2 GiB of 24/24", "out of memory: 3.2 GiB of 24/24")]
    [InlineData("can't open /home/ann/models/demo/vae.pth", "can't open …/vae.pth")]
    [InlineData("'/opt/x/lib.so': bad (/usr/lib/y.so)", "'…/lib.so': bad (…/y.so)")]
    [InlineData("file:///home/ann/a.mp4 is gone", "…/a.mp4 is gone")]
    [InlineData(@"C:\Users\ann\a.mp4 is gone", @"…\a.mp4 is gone")]
    [InlineData("GET http://cdn.example:80/a/b.png answered 404", "GET http://cdn.example:80/a/b.png answered 404")]
    [InlineData("video/mp4 and image/png", "video/mp4 and image/png")]
    [InlineData("a\n   at Foo.Bar(Int32 x) in /a/b.cs:line 2\nb", "a\nb")]
    [InlineData("Traceback (most recent call last):\n  File \"/a/b.py\", line 3, in x\nValueError: no", "ValueError: no")]
    [InlineData("looked at 3 frames", "looked at 3 frames")]
    public void Of_WhatAHostSaid_HasNoPathAndNoFrame(string said, string shown) => Assert.Equal(shown, PublicText.Of(said));

    [Fact]
    public async Task Attempts_OfAFailure_AreWholeForOperatorsAlone()
    {
        var farm = fixture.Farm;
        var worker = await farm.RegisterWorkerAsync();
        using var tenant = await farm.NewTenantAsync("submit", "read");
        var id = (string)(await farm.SubmitAsync(by: tenant))["id"]!;
        var lease = (await farm.LeaseAsync(worker))!;
        Assert.Equal(id, lease.JobId);
        await farm.Worker.PostContractAsync(
            $"/worker/v1/leases/{id}/fail",
            new FailRequest
            {
                Reason = FailureReason.InvalidRequest,
                Message = Said,
                LogTail = Said,
            }.Under(lease.Lease)
        );

        var whole = await AttemptAsync(farm.User);
        Assert.Equal((Said, Said), ((string)whole["error"]!["message"]!, (string)whole["log_tail"]!));

        const string Shown = "could not read …/block.safetensors: no such file\ngave up";
        var shown = await AttemptAsync(tenant);
        Assert.Equal((Shown, Shown), ((string)shown["error"]!["message"]!, (string)shown["log_tail"]!));
        var video = await (await tenant.GetAsync($"/v1/videos/{id}")).JsonAsync();
        Assert.Equal(Shown, (string)video["error"]!["message"]!);

        async Task<System.Text.Json.Nodes.JsonNode> AttemptAsync(HttpClient who) =>
            Assert.Single((await (await who.GetAsync($"/v1/videos/{id}/attempts")).JsonAsync())["data"]!.AsArray())!;
    }
}
