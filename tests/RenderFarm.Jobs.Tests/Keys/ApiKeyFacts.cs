using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Keys;

public sealed class ApiKeysOnSqlite() : ApiKeyFacts(new SqliteStore());

public sealed class ApiKeysOnPostgres() : ApiKeyFacts(new PostgresStore());

public abstract class ApiKeyFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task AuthenticateAsync_CreatedKey_IsKnownUntilRevoked()
    {
        var created = await Farm.Keys.CreateAsync("studio", KeyScopes.Submit | KeyScopes.Read, 60, Stop);
        var key = (await Farm.Keys.AuthenticateAsync(created.Secret, Stop))!;
        Assert.Equal(created.Key, key);
        Assert.True(key.Allows(KeyScopes.Submit));
        Assert.False(key.Allows(KeyScopes.Admin));
        Assert.False(key.Allows(KeyScopes.Worker));

        Assert.True(await Farm.Keys.RevokeAsync(key.Id, Stop));
        Assert.False(await Farm.Keys.RevokeAsync(key.Id, Stop));
        Assert.Null(await Farm.Keys.AuthenticateAsync(created.Secret, Stop));
    }

    [Fact]
    public async Task AuthenticateAsync_RevokedByAnotherProcess_StopsWithinTheCacheTime()
    {
        var created = await Farm.Keys.CreateAsync("studio", KeyScopes.Submit, 60, Stop);
        Assert.NotNull(await Farm.Keys.AuthenticateAsync(created.Secret, Stop));
        await new ApiKeys(Farm.Database, Farm.Time).RevokeAsync(created.Key.Id, Stop);
        Farm.Time.Advance(ApiKeys.CacheFor);
        Assert.Null(await Farm.Keys.AuthenticateAsync(created.Secret, Stop));
    }

    [Theory]
    [InlineData("")]
    [InlineData("rf_")]
    [InlineData("rf_0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("sk-somebody-elses")]
    public async Task AuthenticateAsync_WrongSecret_IsNobody(string secret) => Assert.Null(await Farm.Keys.AuthenticateAsync(secret, Stop));

    [Fact]
    public async Task EnsureAsync_MissingFile_WritesOneForItsOwnerOnlyAndKeepsIt()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("keys.json");
        var first = await new KeyBootstrap(Farm.Keys).EnsureAsync(path, Stop);
        var second = await new KeyBootstrap(Farm.Keys).EnsureAsync(path, Stop);

        Assert.Equal(first, second);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        Assert.True((await Farm.Keys.AuthenticateAsync(first.AdminKey, Stop))!.Allows(KeyScopes.Admin));
        var worker = (await Farm.Keys.AuthenticateAsync(first.WorkerKey, Stop))!;
        Assert.True(worker.Allows(KeyScopes.Worker));
        Assert.False(worker.Allows(KeyScopes.Submit));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"admin_key\":\"secret\",\"worker_key\":\"secret\"}")]
    public async Task EnsureAsync_FileThatIsNoKeyFile_SaysHowToMendIt(string content)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("keys.json"), content, Stop);
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() =>
            new KeyBootstrap(Farm.Keys).EnsureAsync(folder.File("keys.json"), Stop)
        );
        Assert.Contains("Keys:BootstrapFile", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rotate_TheOldSecretGoesOnForTheOverlap_AndThenReadsAsRevoked()
    {
        var made = await Farm.Keys.CreateAsync("studio", KeyScopes.Submit, 60, Stop);

        var rotated = await Farm.Keys.RotateAsync(made.Key.Id, TimeSpan.FromMinutes(5), Stop);

        Assert.Equal(made.Key.Id, (await Farm.Keys.AuthenticateAsync(rotated!.Secret, Stop))?.Id);
        Assert.Equal(made.Key.Id, (await Farm.Keys.AuthenticateAsync(made.Secret, Stop))?.Id);
        // Its answer is remembered, and must not be for longer than it is true
        Farm.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.NotNull(await Farm.Keys.AuthenticateAsync(made.Secret, Stop));
        Farm.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await Farm.Keys.AuthenticateAsync(made.Secret, Stop));
        Assert.True(await Farm.Keys.IsRevokedAsync(made.Secret, Stop));
        Assert.NotNull(await Farm.Keys.AuthenticateAsync(rotated.Secret, Stop));
        Assert.Null(await Farm.Keys.RotateAsync("key_x", TimeSpan.Zero, Stop));
    }

    [Fact]
    public async Task Edit_ChangesWhatItSays_ToNothingToo_AndAKeyWhoseTimeIsOverWorksNoMore()
    {
        var terms = new KeyTerms { Limits = new KeyLimits { Queued = 5, Running = 2 }, Class = "night" };
        var made = await Farm.Keys.CreateAsync("studio", KeyScopes.Submit, 60, terms, Stop);
        Assert.NotNull(await Farm.Keys.AuthenticateAsync(made.Secret, Stop));

        var edited = Assert.IsType<KeyEditResult.Edited>(
            await Farm.Keys.EditAsync(
                made.Key.Id,
                new KeyEdit
                {
                    Name = "renamed",
                    Queued = new Change<int?>(null),
                    PerDay = new Change<int?>(7),
                    ExpiresAt = new Change<DateTimeOffset?>(Farm.Time.GetUtcNow().AddSeconds(3)),
                },
                Stop
            )
        ).Key;

        Assert.Equal(("renamed", 60, "night"), (edited.Name, edited.PriorityCeiling, edited.Class));
        Assert.Equal(new KeyLimits { Running = 2, PerDay = 7 }, edited.Limits);
        Assert.Equal(edited.Limits, (await Farm.Keys.AuthenticateAsync(made.Secret, Stop))?.Limits);
        Farm.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(await Farm.Keys.AuthenticateAsync(made.Secret, Stop));
        Assert.True(await Farm.Keys.IsRevokedAsync(made.Secret, Stop));
    }

    [Fact]
    public async Task Classes_NinthOfLivingKeys_IsRefused()
    {
        for (var i = 1; i < ApiKeys.MostClasses; i++)
        {
            Assert.Null(await Farm.Keys.ClassesIfFullAsync($"c{i}", Stop));
            await Farm.Keys.CreateAsync("k", KeyScopes.Submit, 60, new KeyTerms { Class = $"c{i}" }, Stop);
        }

        var full = await Farm.Keys.ClassesIfFullAsync("c9", Stop);
        Assert.Equal(ApiKeys.MostClasses, full?.Count);
        Assert.Contains(ApiKeys.DefaultClass, full!);
        Assert.Null(await Farm.Keys.ClassesIfFullAsync("c3", Stop));
        var one = (await Farm.Keys.CreateAsync("k", KeyScopes.Submit, 60, Stop)).Key.Id;
        Assert.IsType<KeyEditResult.TooManyClasses>(
            await Farm.Keys.EditAsync(one, new KeyEdit { Class = new Change<string?>("c9") }, Stop)
        );
    }
}
