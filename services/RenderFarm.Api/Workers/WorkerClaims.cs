using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Api.Workers;

/// <summary>What a worker says of itself, judged before it is believed.</summary>
internal static class WorkerClaims
{
    public const string IdentityForm = "must be 32 hex digits, made at random once and kept in the data directory";

    public static void RequireProtocol(int protocol, string version)
    {
        if (protocol < WorkerProtocol.Oldest)
        {
            throw ApiError.ProtocolTooOld(protocol, version).AsException();
        }

        Refuse(
            protocol > WorkerProtocol.Current,
            "protocol",
            $"is {protocol}, and this API speaks {WorkerProtocol.Current}: bring the API to the worker's version first"
        );
    }

    public static bool IsRandom(string id) => id.Length == 32 && id.All(char.IsAsciiHexDigitLower);

    public static void Refuse(bool wrong, string field, string what)
    {
        if (wrong)
        {
            throw ApiError.InvalidValue(field, $"'{field}' {what}.").AsException();
        }
    }
}
