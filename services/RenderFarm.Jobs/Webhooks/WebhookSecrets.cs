using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Webhooks;

/// <summary>What each key's webhooks are signed with. Shown when it is made; a lost one is replaced.</summary>
public sealed class WebhookSecrets(JobDatabase database)
{
    public const string Prefix = "whsec_";

    /// <summary>Null for a key that does not exist or was revoked. A key that has none yet gets one.</summary>
    public async Task<string?> OfAsync(string keyId, CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync(
            db =>
                db.ApiKeys.Where(k => k.Id == keyId && k.RevokedAt == null)
                    .Select(k => new { k.WebhookSecret })
                    .SingleOrDefaultAsync(cancellationToken),
            cancellationToken
        );
        if (found is not { WebhookSecret: null })
        {
            return found?.WebhookSecret;
        }

        var made = Make();
        return await database.WriteAsync(
            async db =>
            {
                await db
                    .ApiKeys.Where(k => k.Id == keyId && k.WebhookSecret == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(k => k.WebhookSecret, made), cancellationToken);
                return await db.ApiKeys.Where(k => k.Id == keyId).Select(k => k.WebhookSecret).SingleAsync(cancellationToken);
            },
            cancellationToken
        );
    }

    /// <summary>A new one; the old one signs nothing from now on.</summary>
    public Task<string> ReplaceAsync(string keyId, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async db =>
            {
                var made = Make();
                await db
                    .ApiKeys.Where(k => k.Id == keyId)
                    .ExecuteUpdateAsync(set => set.SetProperty(k => k.WebhookSecret, made), cancellationToken);
                return made;
            },
            cancellationToken
        );

    private static string Make() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
}
