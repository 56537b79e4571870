using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class FindAndSteer : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "let_go_at",
                table: "jobs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "class",
                table: "api_keys",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "expires_at",
                table: "api_keys",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "former_hash",
                table: "api_keys",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "former_until",
                table: "api_keys",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "job_labels",
                columns: table => new
                {
                    job_id = table.Column<string>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    value = table.Column<string>(type: "TEXT", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_job_labels", x => new { x.job_id, x.name });
                    table.ForeignKey(
                        name: "FK_job_labels_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "queue_pauses",
                columns: table => new
                {
                    model = table.Column<string>(type: "TEXT", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", nullable: false),
                    since = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_queue_pauses", x => new { x.model, x.key_id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_lease_records_worker",
                table: "lease_records",
                columns: new[] { "worker_id", "job_id" });

            migrationBuilder.CreateIndex(
                name: "ix_jobs_ended",
                table: "jobs",
                columns: new[] { "state", "id" },
                filter: "finished_at IS NOT NULL AND deleted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_error",
                table: "jobs",
                columns: new[] { "error_code", "id" },
                filter: "error_code IS NOT NULL AND deleted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_model",
                table: "jobs",
                columns: new[] { "model", "id" },
                filter: "deleted_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_waiting",
                table: "jobs",
                column: "id",
                filter: "state = 'queued'");

            migrationBuilder.CreateIndex(
                name: "ux_api_keys_former",
                table: "api_keys",
                column: "former_hash",
                unique: true,
                filter: "former_hash IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_job_labels_key",
                table: "job_labels",
                columns: new[] { "key_id", "name", "value", "job_id" });

            migrationBuilder.CreateIndex(
                name: "ix_job_labels_value",
                table: "job_labels",
                columns: new[] { "name", "value", "job_id" });

            // Labels are what a job's metadata says, whoever wrote it: an API of the version before, a restore, a batch
            migrationBuilder.Sql(
                """
                CREATE TRIGGER job_labels_of_new AFTER INSERT ON jobs WHEN NEW.metadata IS NOT NULL BEGIN
                    INSERT INTO job_labels (job_id, name, value, key_id)
                    SELECT NEW.id, m.key, m.value, NEW.key_id FROM json_each(NEW.metadata) m;
                END;
                CREATE TRIGGER job_labels_of_changed AFTER UPDATE OF metadata ON jobs WHEN NEW.metadata IS NOT OLD.metadata BEGIN
                    DELETE FROM job_labels WHERE job_id = NEW.id;
                    INSERT INTO job_labels (job_id, name, value, key_id)
                    SELECT NEW.id, m.key, m.value, NEW.key_id FROM json_each(NEW.metadata) m;
                END;
                INSERT INTO job_labels (job_id, name, value, key_id)
                SELECT j.id, m.key, m.value, j.key_id FROM jobs j, json_each(j.metadata) m WHERE j.metadata IS NOT NULL;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TRIGGER job_labels_of_new; DROP TRIGGER job_labels_of_changed;");

            migrationBuilder.DropTable(
                name: "job_labels");

            migrationBuilder.DropTable(
                name: "queue_pauses");

            migrationBuilder.DropIndex(
                name: "ix_lease_records_worker",
                table: "lease_records");

            migrationBuilder.DropIndex(
                name: "ix_jobs_ended",
                table: "jobs");

            migrationBuilder.DropIndex(
                name: "ix_jobs_error",
                table: "jobs");

            migrationBuilder.DropIndex(
                name: "ix_jobs_model",
                table: "jobs");

            migrationBuilder.DropIndex(
                name: "ix_jobs_waiting",
                table: "jobs");

            migrationBuilder.DropIndex(
                name: "ux_api_keys_former",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "let_go_at",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "class",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "expires_at",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "former_hash",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "former_until",
                table: "api_keys");
        }
    }
}
