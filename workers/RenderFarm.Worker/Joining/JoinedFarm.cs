using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Folders;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Joining;

/// <summary>
/// The farm that this host has joined and its own key there: the file <c>farm.json</c> in the data directory, mode 600, and the only secret
/// that a worker keeps.
/// </summary>
internal sealed record JoinedFarm
{
    public required string ApiUrl { get; init; }
    public string? CertificateSha256 { get; init; }

    /// <summary>Made here; the farm has its digest.</summary>
    public required string Key { get; init; }

    /// <summary>Digest of the token that was spent on it: seen again, as at every start of a service, it means nothing new.</summary>
    public required string TokenSha256 { get; init; }

    /// <summary>The token itself, until the farm has taken the key: so a host that was cut off there goes on where it was.</summary>
    public string? Token { get; init; }

    /// <summary>A new key of this host, for the farm that invites it.</summary>
    public static JoinedFarm By(JoinLine invitation) =>
        new()
        {
            ApiUrl = AddressOf(invitation),
            CertificateSha256 = invitation.CertificateSha256,
            Key = EnrollRequest.SecretPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(EnrollRequest.SecretDigits / 2)),
            TokenSha256 = DigestOf(invitation.Token),
            Token = invitation.Token,
        };

    public bool LeadsTo(JoinLine invitation) =>
        (ApiUrl, CertificateSha256) == (AddressOf(invitation), invitation.CertificateSha256);

    /// <summary>The same key, for the farm where this line has it.</summary>
    public JoinedFarm Towards(JoinLine invitation) =>
        this with { ApiUrl = AddressOf(invitation), CertificateSha256 = invitation.CertificateSha256 };

    public bool WasJoinedBy(JoinLine invitation) => TokenSha256 == DigestOf(invitation.Token);

    /// <summary>Null where the host has joined none.</summary>
    /// <exception cref="WorkerSettingException">The file can't be read.</exception>
    public static JoinedFarm? Read(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FarmHome.JoinedFileName);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), JoiningJson.Default.JoinedFarm) : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new WorkerSettingException(
                $"Worker:DataDirectory: {path} can't be read ({fault.Message}); mend it, or delete it and join the farm by a new invitation"
            );
        }
    }

    /// <summary>What was there before an invitation that was not good; null: nothing.</summary>
    public static void Restore(JoinedFarm? before, string dataDirectory)
    {
        if (before is null)
        {
            File.Delete(Path.Combine(dataDirectory, FarmHome.JoinedFileName));
        }
        else
        {
            before.Write(dataDirectory);
        }
    }

    /// <summary>Whole or not at all, and on the disk before anybody is told of the key.</summary>
    public void Write(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FarmHome.JoinedFileName);
        try
        {
            PrivateFiles.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, JoiningJson.Default.JoinedFarm));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new WorkerSettingException($"Worker:DataDirectory: {path} can't be written ({fault.Message})");
        }
    }

    /// <summary>What a worker of that farm is set to, above all other settings; the broker's address too, which no file holds.</summary>
    public IReadOnlyList<string> Settings(WorkerBus? bus) =>
        [
            $"--Worker:ApiUrl={ApiUrl}",
            $"--Worker:ApiKey={Key}",
            $"--Worker:ApiCertificateSha256={CertificateSha256}",
            "--Worker:ApiCertificateFile=",
            $"--Bus:Kind={(bus is null ? "none" : "rabbitmq")}",
            $"--Bus:Uri={bus?.Uri}",
        ];

    private static string AddressOf(JoinLine invitation) => invitation.Farm.GetLeftPart(UriPartial.Path).TrimEnd('/');

    private static string DigestOf(string token) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token)));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true
)]
[JsonSerializable(typeof(JoinedFarm))]
internal sealed partial class JoiningJson : JsonSerializerContext;
