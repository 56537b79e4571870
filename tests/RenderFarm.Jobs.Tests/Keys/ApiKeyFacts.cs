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
}
