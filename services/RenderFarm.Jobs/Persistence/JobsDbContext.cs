using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Jobs.Persistence;

/// <summary>One model for both stores. Names are snake_case, enums are words, JSON is text.</summary>
public abstract class JobsDbContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<JobRow> Jobs => Set<JobRow>();
    public DbSet<JobLabelRow> JobLabels => Set<JobLabelRow>();
    public DbSet<QueuePauseRow> QueuePauses => Set<QueuePauseRow>();
    public DbSet<LeaseRecordRow> LeaseRecords => Set<LeaseRecordRow>();
    public DbSet<EventRow> Events => Set<EventRow>();
    public DbSet<LogCursorRow> LogCursors => Set<LogCursorRow>();
    public DbSet<WebhookDeliveryRow> WebhookDeliveries => Set<WebhookDeliveryRow>();
    public DbSet<BatchRow> Batches => Set<BatchRow>();
    public DbSet<WorkerRow> Workers => Set<WorkerRow>();
    public DbSet<WorkerInvitationRow> WorkerInvitations => Set<WorkerInvitationRow>();
    public DbSet<SlotQuarantineRow> SlotQuarantines => Set<SlotQuarantineRow>();
    public DbSet<SlotFailureRow> SlotFailures => Set<SlotFailureRow>();
    public DbSet<ModelRow> Models => Set<ModelRow>();
    public DbSet<WorkerModelRow> WorkerModels => Set<WorkerModelRow>();
    public DbSet<ApiKeyRow> ApiKeys => Set<ApiKeyRow>();
    public DbSet<DashboardSessionRow> DashboardSessions => Set<DashboardSessionRow>();
    public DbSet<SignInCodeRow> SignInCodes => Set<SignInCodeRow>();

    internal abstract SqlDialect Dialect { get; }

    /// <summary>Whether what was done through this context has added to the log of events.</summary>
    internal bool WroteEvents { get; set; }

    /// <summary>Whether a job has left the queue, or come back to it.</summary>
    internal bool ChangedQueue { get; set; }

    /// <summary>Leases that were taken for lost and are held again.</summary>
    internal int Revived { get; set; }

    /// <summary>Leases that ran out.</summary>
    internal List<LostLease> Lost { get; private set; } = [];

    /// <summary>New jobs.</summary>
    internal List<JoinedJob> Joined { get; private set; } = [];

    /// <summary>A context that has been used before starts with nothing done.</summary>
    internal void Begin() => (WroteEvents, ChangedQueue, Revived, Lost, Joined) = (false, false, 0, [], []);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        ArgumentNullException.ThrowIfNull(configurationBuilder);
        configurationBuilder.Properties<JobState>().HaveConversion<WordColumn<JobState>>();
        configurationBuilder.Properties<RenderStage>().HaveConversion<WordColumn<RenderStage>>();
        configurationBuilder.Properties<LeaseEnding>().HaveConversion<WordColumn<LeaseEnding>>();
        configurationBuilder.Properties<VideoEvent>().HaveConversion<WordColumn<VideoEvent>>();
        configurationBuilder.Properties<DeliveryState>().HaveConversion<WordColumn<DeliveryState>>();
        configurationBuilder.Properties<FailureReason>().HaveConversion<WordColumn<FailureReason>>();
        configurationBuilder.Properties<QuarantineSource>().HaveConversion<WordColumn<QuarantineSource>>();
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var pending = $"state = '{Word.Of(DeliveryState.Pending)}'";
        modelBuilder.Entity<JobRow>(job =>
        {
            job.ToTable("jobs", table =>
            {
                foreach (var (name, check) in JobTransitions.Checks)
                {
                    table.HasCheckConstraint(name, check);
                }
            });
            job.HasKey(j => j.Id);

            // The lease walks this one: fair, by priority, and per (model, class) in order
            job.HasIndex(
                    j => new
                    {
                        j.Model,
                        j.VramClass,
                        j.OrderKey,
                    },
                    "ix_jobs_queue"
                )
                .HasFilter(JobTransitions.Queued);
            // The virtual clock: who waits with the least, and how far those came who have been served
            job.HasIndex(
                    j => new
                    {
                        j.Model,
                        j.VramClass,
                        j.StartTag,
                    },
                    "ix_jobs_turn"
                )
                .HasFilter($"{JobTransitions.Queued} AND fence = 0");
            job.HasIndex(j => j.StartTag, "ix_jobs_served").HasFilter("fence > 0");
            // Which jobs are held, without lease_until in it: a renewal must not touch an index
            job.HasIndex(j => j.Id, "ix_jobs_held").HasFilter(JobTransitions.Held);
            job.HasIndex(j => new { j.KeyId, j.Id }, "ix_jobs_key");
            // What a key has queued and running, for its quotas
            job.HasIndex(j => new { j.KeyId, j.State }, "ix_jobs_open").HasFilter(JobTransitions.Open);
            job.HasIndex(j => new { j.KeyId, j.IdempotencyKey }, "ux_jobs_idempotency").IsUnique().HasFilter("idempotency_key IS NOT NULL");
            job.HasIndex(j => new { j.KeyId, j.RequestHash }, "ix_jobs_request").HasFilter("request_hash IS NOT NULL");
            job.HasIndex(j => new { j.BatchId, j.BatchLine }, "ix_jobs_batch").HasFilter("batch_id IS NOT NULL");
            job.HasIndex(j => j.ExpiresAt, "ix_jobs_expiry").HasFilter(JobTransitions.Expire.Where);
            // What retention may remove, some day
            job.HasIndex(j => j.FinishedAt, "ix_jobs_over").HasFilter(JobTransitions.Over);
            // Lists by one thing, newest first. What changes with every step of a job is in none of them
            job.HasIndex(j => j.Id, "ix_jobs_waiting").HasFilter(JobTransitions.Queued);
            job.HasIndex(j => new { j.State, j.Id }, "ix_jobs_ended").HasFilter("finished_at IS NOT NULL AND deleted_at IS NULL");
            job.HasIndex(j => new { j.ErrorCode, j.Id }, "ix_jobs_error").HasFilter("error_code IS NOT NULL AND deleted_at IS NULL");
            job.HasIndex(j => new { j.Model, j.Id }, "ix_jobs_model").HasFilter("deleted_at IS NULL");
        });
        modelBuilder.Entity<JobLabelRow>(label =>
        {
            label.ToTable("job_labels");
            label.HasKey(l => new { l.JobId, l.Name });
            label.HasIndex(
                l => new
                {
                    l.Name,
                    l.Value,
                    l.JobId,
                },
                "ix_job_labels_value"
            );
            label.HasIndex(
                l => new
                {
                    l.KeyId,
                    l.Name,
                    l.Value,
                    l.JobId,
                },
                "ix_job_labels_key"
            );
            label.HasOne<JobRow>().WithMany().HasForeignKey(l => l.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<QueuePauseRow>(pause =>
        {
            pause.ToTable("queue_pauses");
            pause.HasKey(p => new { p.Model, p.KeyId });
        });
        modelBuilder.Entity<LeaseRecordRow>(record =>
        {
            record.ToTable("lease_records", table =>
                table.HasCheckConstraint(
                    "ck_lease_records_ended",
                    "(ended_at IS NOT NULL) = (ending IS NOT NULL) AND (ending IS NOT NULL) = (outcome_state IS NOT NULL)"
                )
            );
            record.HasKey(r => new { r.JobId, r.Fence });
            record.HasIndex(
                r => new
                {
                    r.Model,
                    r.Card,
                    r.LeasedAt,
                },
                "ix_lease_records_figures"
            );
            record.HasIndex(r => new { r.WorkerId, r.JobId }, "ix_lease_records_worker");
            record.HasIndex(r => r.EndedAt, "ix_lease_records_completed").HasFilter($"ending = '{Word.Of(LeaseEnding.Completed)}'");
            record.HasOne<JobRow>().WithMany().HasForeignKey(r => r.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<EventRow>(row =>
        {
            row.ToTable("events");
            row.HasKey(e => e.Id);
            row.HasIndex(e => new { e.JobId, e.Id }, "ix_events_job");
            row.HasIndex(e => e.Id, "ix_events_unplaced").HasFilter("position IS NULL");
            row.HasIndex(e => e.Position, "ux_events_position").IsUnique();
            row.HasIndex(e => new { e.KeyId, e.Position }, "ix_events_key");
        });
        modelBuilder.Entity<FairClockRow>(clock =>
        {
            clock.ToTable("fair_clock", table => table.HasCheckConstraint("ck_fair_clock_one", "id = 1"));
            clock.HasKey(c => c.Id);
            clock.Property(c => c.Id).ValueGeneratedNever();
        });
        modelBuilder.Entity<SweepPassRow>().ToTable("sweep_passes").HasKey(p => p.Name);
        modelBuilder.Entity<LogCursorRow>().ToTable("log_cursors").HasKey(c => c.Name);
        modelBuilder.Entity<WebhookDeliveryRow>(delivery =>
        {
            delivery.ToTable("webhook_deliveries", table =>
                table.HasCheckConstraint("ck_webhook_deliveries_finished", $"(finished_at IS NULL) = ({pending})")
            );
            delivery.HasKey(d => d.EventId);
            delivery.Property(d => d.EventId).ValueGeneratedNever();
            delivery.Property(d => d.Host).HasDefaultValue("");
            delivery
                .HasIndex(d => new { d.KeyId, d.Host, d.NextTryAt }, "ix_webhook_deliveries_lane")
                .HasFilter(pending);
            delivery.HasIndex(d => new { d.JobId, d.EventId }, "ix_webhook_deliveries_job");
        });
        modelBuilder.Entity<BatchRow>(batch =>
        {
            batch.ToTable("batches");
            batch.HasKey(b => b.Id);
            batch
                .HasIndex(b => new { b.KeyId, b.IdempotencyKey }, "ux_batches_idempotency")
                .IsUnique()
                .HasFilter("idempotency_key IS NOT NULL");
            batch.HasIndex(b => new { b.KeyId, b.RequestHash }, "ix_batches_request").HasFilter("request_hash IS NOT NULL");
        });
        modelBuilder.Entity<WorkerRow>(worker =>
        {
            worker.ToTable("workers");
            worker.HasKey(w => w.Id);
            worker.HasIndex(w => w.Identity, "ux_workers_identity").IsUnique();
        });
        modelBuilder.Entity<WorkerInvitationRow>(invitation =>
        {
            invitation.ToTable("worker_invitations");
            invitation.HasKey(i => i.Id);
            invitation.HasIndex(i => i.Hash, "ux_worker_invitations_hash").IsUnique();
        });
        modelBuilder.Entity<DashboardSessionRow>(session =>
        {
            session.ToTable("dashboard_sessions");
            session.HasKey(s => s.Hash);
            session.HasIndex(s => s.ExpiresAt, "ix_dashboard_sessions_expires_at");
        });
        modelBuilder.Entity<SignInCodeRow>(code =>
        {
            code.ToTable("sign_in_codes");
            code.HasKey(c => c.Hash);
        });
        modelBuilder.Entity<SlotQuarantineRow>(quarantine =>
        {
            quarantine.ToTable("slot_quarantines");
            quarantine.HasKey(q => new
            {
                q.WorkerId,
                q.SlotId,
                q.By,
            });
            quarantine.HasOne<WorkerRow>().WithMany().HasForeignKey(q => q.WorkerId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<SlotFailureRow>(failure =>
        {
            failure.ToTable("slot_failures");
            failure.HasKey(f => new
            {
                f.WorkerId,
                f.SlotId,
                f.JobId,
            });
            failure.HasIndex(f => f.JobId, "ix_slot_failures_job");
            failure.HasOne<WorkerRow>().WithMany().HasForeignKey(f => f.WorkerId).OnDelete(DeleteBehavior.Cascade);
            failure.HasOne<JobRow>().WithMany().HasForeignKey(f => f.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<ModelRow>().ToTable("models").HasKey(m => m.Id);
        modelBuilder.Entity<WorkerModelRow>(have =>
        {
            have.ToTable("worker_models");
            have.HasKey(h => new { h.WorkerId, h.ModelId });
            have.Property(h => h.IsWhole).HasDefaultValue(true).HasSentinel(true);
            have.HasOne<WorkerRow>().WithMany().HasForeignKey(h => h.WorkerId).OnDelete(DeleteBehavior.Cascade);
            have.HasOne<ModelRow>().WithMany().HasForeignKey(h => h.ModelId);
        });
        modelBuilder.Entity<ApiKeyRow>(key =>
        {
            key.ToTable("api_keys");
            key.HasKey(k => k.Id);
            key.HasIndex(k => k.Hash, "ux_api_keys_hash").IsUnique();
            key.HasIndex(k => k.FormerHash, "ux_api_keys_former").IsUnique().HasFilter("former_hash IS NOT NULL");
            key.Property(k => k.Day).HasDefaultValue(0);
            key.Property(k => k.DayJobs).HasDefaultValue(0);
        });

        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties())
            {
                property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
            }
        }
    }
}

/// <summary>An enum stored as its word, as on the wire.</summary>
internal sealed class WordColumn<TEnum>() : ValueConverter<TEnum, string>(value => Word.Of(value), word => Word.Parse<TEnum>(word))
    where TEnum : struct, Enum;
