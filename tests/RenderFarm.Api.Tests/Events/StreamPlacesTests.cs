using System.Net;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Events;

/// <summary>A key has so many streams, and each it closes is one to open.</summary>
public sealed class StreamPlacesTests
{
    [Fact]
    public async Task Streams_PastTheLimitOfAKey_Are429UntilOneIsClosed()
    {
        await using var farm = await TestFarm.StartAsync("--Keys:StreamsAtOnce=2");
        await farm.RegisterWorkerAsync();
        var id = (string)(await farm.SubmitAsync())["id"]!;
        await using var first = await EventReader.OpenAsync(farm.User, "/v1/events");
        var second = await EventReader.OpenAsync(farm.User, $"/v1/videos/{id}/events");

        using (var refused = await farm.User.GetAsync("/v1/events"))
        {
            Assert.Equal("15", refused.Headers.GetValues("Retry-After").Single());
            Assert.Equal((429, "too_many_streams"), await refused.RefusalAsync() is var r ? (r.Status, r.Code) : default);
        }

        using var tenant = await farm.NewTenantAsync("read");
        await using (await EventReader.OpenAsync(tenant, "/v1/events")) { }

        await second.DisposeAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                using var again = await farm.User.GetAsync("/v1/events", HttpCompletionOption.ResponseHeadersRead);
                return again.StatusCode == HttpStatusCode.OK;
            },
            TimeSpan.FromSeconds(20),
            "the place of a stream that was closed"
        );
    }
}
