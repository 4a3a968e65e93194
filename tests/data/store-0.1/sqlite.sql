BEGIN TRANSACTION;
CREATE TABLE client_rounds (
	run_id TEXT NOT NULL, 
	round BIGINT NOT NULL, 
	client_id TEXT NOT NULL, 
	train_loss DOUBLE, 
	loss DOUBLE, 
	accuracy DOUBLE, 
	samples BIGINT, 
	train_s DOUBLE, 
	evaluate_s DOUBLE, 
	late BOOLEAN NOT NULL, 
	metrics JSON NOT NULL, 
	error TEXT, 
	PRIMARY KEY (run_id, round, client_id), 
	FOREIGN KEY(run_id, round) REFERENCES rounds (run_id, round) ON DELETE CASCADE
);
INSERT INTO "client_rounds" VALUES('75da4da2',1,'client-2',9.03998973271618155855e-01,7.31657381410951934697e-01,7.03703703703703720151e-01,730,1.65269089993671514093e-02,6.46112999675096943974e-04,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('75da4da2',1,'client-1',1.14648621471215639289e+00,1.70079331170944936246e+00,5.07936507936507908311e-01,564,8.0202200999337946996e-02,5.39834996743593364953e-04,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('75da4da2',2,'client-2',3.32788315864458450477e-01,2.78942626199604526426e-01,9.38271604938271552853e-01,730,8.15128699832712300121e-03,0.000607747002504766,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('75da4da2',2,'client-1',5.52526866290586227137e-01,6.35731167263454910454e-01,8.09523809523809534383e-01,564,2.78969979990506544709e-02,5.27856998814968392252e-04,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('75da4da2',3,'client-1',2.85951438525044343563e-01,0.530953361874535,8.41269841269841278652e-01,564,8.04830400011269375681e-03,9.81052999122766777873e-04,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('75da4da2',3,'client-2',1.93666432001819349695e-01,1.91080034515004104633e-01,9.50617283950617286691e-01,730,2.95520860017859376966e-02,6.23349002125905826687e-04,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('4190e0e2',1,'client-1',1.15077469196725390432e+00,1.38256218319847468123e+00,5.23809523809523835957e-01,564,3.77818500055582262575e-03,6.06915000389562919735e-04,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('4190e0e2',1,'client-2',9.15150263538099362214e-01,8.20079379611545089545e-01,0.691358024691358,730,4.96506829986174125224e-02,3.56663999991724267601e-03,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('2bdab92d',1,'client-2',4.1604979353952625809e-01,4.7583530567310472481e-01,8.02469135802469146767e-01,730,2.61707029967510607093e-02,5.90842002566205337643e-04,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('2bdab92d',1,'client-1',0.545513144057975,6.29387567913721523993e-01,7.93650793650793606737e-01,564,4.58318880009755957871e-02,4.54337998235132545232e-04,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('2bdab92d',2,'client-1',1.63636696817745258547e-01,4.55380152142237093482e-01,0.873015873015873,564,2.38414189989271108061e-02,5.97400998231023550033e-04,0,'{}',NULL);
INSERT INTO "client_rounds" VALUES('2bdab92d',2,'client-2',1.31625575235445213539e-01,1.48125778009862069106e-01,9.62962962962962909507e-01,730,3.89818210023804567754e-02,6.44370997179066762328e-04,0,'{}',NULL);
CREATE TABLE clients (
	id TEXT NOT NULL, 
	app TEXT, 
	dataset TEXT NOT NULL, 
	models JSON NOT NULL, 
	samples BIGINT, 
	label_counts JSON, 
	partition BIGINT, 
	num_partitions BIGINT, 
	host TEXT NOT NULL, 
	device TEXT NOT NULL, 
	connected_at DOUBLE NOT NULL, 
	last_seen DOUBLE NOT NULL, 
	train_loss DOUBLE, 
	loss DOUBLE, 
	accuracy DOUBLE, 
	PRIMARY KEY (id)
);
INSERT INTO "clients" VALUES('client-2',NULL,'digits','["cnn", "linear"]',730,'[124, 37, 27, 110, 7, 73, 100, 131, 3, 118]',1,2,'vm','cpu',1.79573170146518969539e+09,1.79573170311562919617e+09,8.2800411415971039708e-02,1.48125778009862069106e-01,9.62962962962962909507e-01);
INSERT INTO "clients" VALUES('client-1',NULL,'digits','["cnn", "linear"]',564,'[1, 95, 104, 26, 126, 60, 23, 0, 117, 12]',0,2,'vm','cpu',1.79573170153522515294e+09,1.7957317030080084801e+09,1.28359179124764521962e-01,4.55380152142237093482e-01,0.873015873015873);
CREATE TABLE events (
	seq BIGINT NOT NULL, 
	time DOUBLE NOT NULL, 
	type TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	run_id TEXT, 
	data JSON NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "events" VALUES(2,1.79573165834792351728e+09,'run_update','75da4da2','75da4da2','{"state": "queued", "reason": null, "round": 0}');
INSERT INTO "events" VALUES(3,1.79573165840861845017e+09,'run_update','75da4da2','75da4da2','{"state": "waiting", "reason": "loading the data set digits", "round": 0}');
INSERT INTO "events" VALUES(5,1.79573167798398685454e+09,'metrics_update','75da4da2','75da4da2','{"round": 0, "loss": 2.4171605017191853, "accuracy": 0.12813370473537605, "clients": 0}');
INSERT INTO "events" VALUES(10,1.7957317014652636051e+09,'client_update','client-2',NULL,'{"state": "connected", "reason": null}');
INSERT INTO "events" VALUES(15,1.79573170153525090222e+09,'client_update','client-1',NULL,'{"state": "connected", "reason": null}');
INSERT INTO "events" VALUES(17,1.79573170153605937955e+09,'run_update','75da4da2','75da4da2','{"state": "running", "reason": null, "round": 0}');
INSERT INTO "events" VALUES(49,1.79573170185856556893e+09,'metrics_update','75da4da2','75da4da2','{"round": 1, "loss": 0.9979620378329561, "accuracy": 0.6963788300835655, "clients": 2}');
INSERT INTO "events" VALUES(72,1.79573170206384587288e+09,'metrics_update','75da4da2','75da4da2','{"round": 2, "loss": 0.338455412713266, "accuracy": 0.9136490250696379, "clients": 2}');
INSERT INTO "events" VALUES(100,1.79573170220447492599e+09,'run_update','75da4da2','75da4da2','{"state": "completed", "reason": null, "round": 3}');
INSERT INTO "events" VALUES(106,1.7957317022425549031e+09,'run_update','4190e0e2','4190e0e2','{"state": "queued", "reason": null, "round": 0}');
INSERT INTO "events" VALUES(97,1.79573170220409321787e+09,'metrics_update','75da4da2','75da4da2','{"round": 3, "loss": 0.2551245729239206, "accuracy": 0.9415041782729805, "clients": 2}');
INSERT INTO "events" VALUES(107,1.79573170228328156472e+09,'run_update','4190e0e2','4190e0e2','{"state": "waiting", "reason": "loading the data set digits", "round": 0}');
INSERT INTO "events" VALUES(109,1.79573170239943480496e+09,'metrics_update','4190e0e2','4190e0e2','{"round": 0, "loss": 2.4171605017191853, "accuracy": 0.12813370473537605, "clients": 0}');
INSERT INTO "events" VALUES(112,1.79573170240200233457e+09,'run_update','4190e0e2','4190e0e2','{"state": "running", "reason": null, "round": 0}');
INSERT INTO "events" VALUES(140,1.79573170253810739517e+09,'metrics_update','4190e0e2','4190e0e2','{"round": 1, "loss": 0.922373312097406, "accuracy": 0.6991643454038997, "clients": 2}');
INSERT INTO "events" VALUES(150,1.7957317026149690151e+09,'run_update','4190e0e2','4190e0e2','{"state": "stopped", "reason": "stopped by request", "round": 2}');
INSERT INTO "events" VALUES(155,1.79573170262040495868e+09,'run_update','2bdab92d','2bdab92d','{"state": "queued", "reason": null, "round": 0}');
INSERT INTO "events" VALUES(156,1.79573170262445855143e+09,'run_update','2bdab92d','2bdab92d','{"state": "waiting", "reason": "loading the data set digits", "round": 0}');
INSERT INTO "events" VALUES(161,1.79573170266263747217e+09,'run_update','2bdab92d','2bdab92d','{"state": "running", "reason": null, "round": 0}');
INSERT INTO "events" VALUES(158,1.79573170265893411641e+09,'metrics_update','2bdab92d','2bdab92d','{"round": 0, "loss": 2.4171605017191853, "accuracy": 0.12813370473537605, "clients": 0}');
INSERT INTO "events" VALUES(192,1.79573170280901813506e+09,'metrics_update','2bdab92d','2bdab92d','{"round": 1, "loss": 0.48120831247823814, "accuracy": 0.83008356545961, "clients": 2}');
INSERT INTO "events" VALUES(216,1.79573170298757123948e+09,'metrics_update','2bdab92d','2bdab92d','{"round": 2, "loss": 0.21468357521843445, "accuracy": 0.9387186629526463, "clients": 2}');
CREATE TABLE fedloom_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT fedloom_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "fedloom_version" VALUES('0001');
CREATE TABLE logs (
	seq BIGINT NOT NULL, 
	time DOUBLE NOT NULL, 
	level TEXT NOT NULL, 
	source TEXT NOT NULL, 
	logger TEXT NOT NULL, 
	message TEXT NOT NULL, 
	run_id TEXT, 
	traceback TEXT, 
	PRIMARY KEY (seq)
);
INSERT INTO "logs" VALUES(1,1.79573165820811462408e+09,'info','server','app.webserver','FedLoom is ready at http://localhost:5931 (clients connect to port 5932)',NULL,NULL);
INSERT INTO "logs" VALUES(7,1795731677.98427,'info','server','app.federation.rounds','round 0 (initial model): accuracy 12.8%, loss 2.4172','75da4da2',NULL);
INSERT INTO "logs" VALUES(8,1.79573167798449897765e+09,'info','server','app.federation.active_run','run 75da4da2 is waiting for 2 more clients (0 of 2)','75da4da2',NULL);
INSERT INTO "logs" VALUES(11,1.79573170149443697924e+09,'info','server','app.federation.link_server','client-2 connected from vm with digits on cpu',NULL,NULL);
INSERT INTO "logs" VALUES(12,1.79573170150790810579e+09,'info','server','app.federation.active_run','run 75da4da2 is waiting for 1 more client (1 of 2)','75da4da2',NULL);
INSERT INTO "logs" VALUES(14,1.79573170153496432309e+09,'info','client-2','client.link','connected to the server at 127.0.0.1:5932',NULL,NULL);
INSERT INTO "logs" VALUES(16,1.79573170153548312185e+09,'info','server','app.federation.link_server','client-1 connected from vm with digits on cpu',NULL,NULL);
INSERT INTO "logs" VALUES(19,1.79573170156675243373e+09,'info','client-1','client.link','connected to the server at 127.0.0.1:5932',NULL,NULL);
INSERT INTO "logs" VALUES(26,1.79573170161256551744e+09,'info','client-2','client.runtime','takes part in run 75da4da2 with part 1 of 2',NULL,NULL);
INSERT INTO "logs" VALUES(27,1.79573170161390256878e+09,'info','client-1','client.runtime','takes part in run 75da4da2 with part 0 of 2',NULL,NULL);
INSERT INTO "logs" VALUES(51,1.79573170185880875591e+09,'info','server','app.federation.rounds','round 1 aggregated from 2 of 2 clients: accuracy 69.6%, loss 0.9980, clients'' accuracy 61.8%, clients'' loss 1.1557','75da4da2',NULL);
INSERT INTO "logs" VALUES(74,1.79573170206405472752e+09,'info','server','app.federation.rounds','round 2 aggregated from 2 of 2 clients: accuracy 91.4%, loss 0.3385, clients'' accuracy 88.2%, clients'' loss 0.4350','75da4da2',NULL);
INSERT INTO "logs" VALUES(99,1.79573170220426869391e+09,'info','server','app.federation.rounds','round 3 aggregated from 2 of 2 clients: accuracy 94.2%, loss 0.2551, clients'' accuracy 90.3%, clients'' loss 0.3398','75da4da2',NULL);
INSERT INTO "logs" VALUES(101,1.79573170220453023912e+09,'info','server','app.federation.runs','run 75da4da2 completed','75da4da2',NULL);
INSERT INTO "logs" VALUES(111,1.79573170240169286727e+09,'info','server','app.federation.rounds','round 0 (initial model): accuracy 12.8%, loss 2.4172','4190e0e2',NULL);
INSERT INTO "logs" VALUES(120,1.79573170243064451218e+09,'info','client-2','client.runtime','takes part in run 4190e0e2 with part 1 of 2',NULL,NULL);
INSERT INTO "logs" VALUES(122,1.79573170243354320527e+09,'info','client-1','client.runtime','takes part in run 4190e0e2 with part 0 of 2',NULL,NULL);
INSERT INTO "logs" VALUES(142,1.79573170253830337525e+09,'info','server','app.federation.rounds','round 1 aggregated from 2 of 2 clients: accuracy 69.9%, loss 0.9224, clients'' accuracy 61.8%, clients'' loss 1.0662','4190e0e2',NULL);
INSERT INTO "logs" VALUES(151,1.79573170261511516569e+09,'info','server','app.federation.runs','run 4190e0e2 stopped: stopped by request','4190e0e2',NULL);
INSERT INTO "logs" VALUES(160,1.79573170265914130215e+09,'info','server','app.federation.rounds','round 0 (initial model): accuracy 12.8%, loss 2.4172','2bdab92d',NULL);
INSERT INTO "logs" VALUES(169,1.79573170269438743594e+09,'info','client-1','client.runtime','takes part in run 2bdab92d with part 0 of 2',NULL,NULL);
INSERT INTO "logs" VALUES(170,1.79573170269446849827e+09,'info','client-2','client.runtime','takes part in run 2bdab92d with part 1 of 2',NULL,NULL);
INSERT INTO "logs" VALUES(194,1.79573170280920124059e+09,'info','server','app.federation.rounds','round 1 aggregated from 2 of 2 clients: accuracy 83.0%, loss 0.4812, clients'' accuracy 79.9%, clients'' loss 0.5430','2bdab92d',NULL);
INSERT INTO "logs" VALUES(218,1.7957317029877343178e+09,'info','server','app.federation.rounds','round 2 aggregated from 2 of 2 clients: accuracy 93.9%, loss 0.2147, clients'' accuracy 92.4%, clients'' loss 0.2825','2bdab92d',NULL);
CREATE TABLE rounds (
	run_id TEXT NOT NULL, 
	round BIGINT NOT NULL, 
	complete BOOLEAN NOT NULL, 
	train_loss DOUBLE, 
	loss DOUBLE, 
	accuracy DOUBLE, 
	client_loss DOUBLE, 
	client_accuracy DOUBLE, 
	class_accuracy JSON, 
	confusion JSON, 
	clients BIGINT NOT NULL, 
	started_at DOUBLE NOT NULL, 
	duration_s DOUBLE, 
	PRIMARY KEY (run_id, round), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
INSERT INTO "rounds" VALUES('75da4da2',0,1,NULL,2.41716050171918528377e+00,1.28133704735376052763e-01,NULL,NULL,'[0.75, 0.0, 0.02857142857142857, 0.13513513513513514, 0.0, 0.1111111111111111, 0.0, 0.1111111111111111, 0.11428571428571428, 0.027777777777777776]','[[27, 0, 0, 3, 4, 0, 0, 0, 0, 2], [22, 0, 0, 2, 0, 6, 0, 3, 0, 3], [5, 0, 1, 0, 1, 20, 0, 0, 6, 2], [11, 2, 0, 5, 0, 2, 3, 0, 5, 9], [13, 0, 0, 5, 0, 0, 0, 17, 0, 1], [13, 0, 0, 3, 3, 4, 5, 6, 0, 2], [2, 0, 0, 7, 0, 0, 0, 0, 0, 27], [19, 0, 0, 0, 0, 0, 13, 4, 0, 0], [18, 0, 0, 2, 0, 0, 1, 0, 4, 10], [4, 8, 1, 13, 0, 0, 7, 1, 1, 1]]',0,1.79573167786081314091e+09,1.23146420999546535313e-01);
INSERT INTO "rounds" VALUES('75da4da2',1,1,1.00968893012823612842e+00,9.97962037832956117e-01,6.96378830083565492081e-01,1.15565435091654467036e+00,6.18055555555555580227e-01,'[0.6666666666666666, 1.0, 0.9428571428571428, 0.972972972972973, 0.3055555555555556, 1.0, 1.0, 0.4166666666666667, 0.0, 0.6388888888888888]','[[24, 0, 0, 1, 0, 5, 5, 0, 0, 1], [0, 36, 0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 33, 1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 36, 0, 0, 0, 0, 0, 0], [0, 16, 0, 0, 11, 2, 7, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 11, 5, 2, 0, 3, 0, 15, 0, 0], [0, 20, 4, 5, 0, 5, 1, 0, 0, 0], [0, 5, 1, 6, 0, 1, 0, 0, 0, 23]]',2,1.7957317016078329086e+09,2.4359156400169013068e-01);
INSERT INTO "rounds" VALUES('75da4da2',2,1,4.28563078183110734986e-01,0.338455412713266,9.13649025069637854556e-01,4.350376129150390625e-01,8.81944444444444419772e-01,'[0.9722222222222222, 0.9444444444444444, 0.9714285714285714, 0.972972972972973, 0.8888888888888888, 1.0, 1.0, 0.8888888888888888, 0.6, 0.8888888888888888]','[[35, 0, 0, 0, 0, 1, 0, 0, 0, 0], [0, 34, 0, 0, 0, 1, 1, 0, 0, 0], [0, 0, 34, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 36, 0, 1, 0, 0, 0, 0], [0, 4, 0, 0, 32, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 32, 0, 2], [0, 2, 3, 2, 0, 5, 0, 0, 21, 2], [0, 1, 0, 2, 0, 1, 0, 0, 0, 32]]',2,1.79573170185967278481e+09,2.04163678001350490376e-01);
INSERT INTO "rounds" VALUES('75da4da2',3,1,2.33889572402977696796e-01,2.55124572923920600597e-01,9.41504178272980496444e-01,3.39774615234798849083e-01,9.02777777777777790113e-01,'[1.0, 0.9444444444444444, 1.0, 0.9459459459459459, 0.9444444444444444, 1.0, 1.0, 0.9166666666666666, 0.7142857142857143, 0.9444444444444444]','[[36, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 34, 0, 0, 0, 1, 1, 0, 0, 0], [0, 0, 35, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 35, 0, 1, 0, 0, 0, 0], [0, 2, 0, 0, 34, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 33, 0, 1], [0, 2, 0, 2, 0, 3, 0, 0, 25, 3], [0, 1, 0, 1, 0, 0, 0, 0, 0, 34]]',2,1.79573170206698203088e+09,1.37101374999474501237e-01);
INSERT INTO "rounds" VALUES('4190e0e2',0,1,NULL,2.41716050171918528377e+00,1.28133704735376052763e-01,NULL,NULL,'[0.75, 0.0, 0.02857142857142857, 0.13513513513513514, 0.0, 0.1111111111111111, 0.0, 0.1111111111111111, 0.11428571428571428, 0.027777777777777776]','[[27, 0, 0, 3, 4, 0, 0, 0, 0, 2], [22, 0, 0, 2, 0, 6, 0, 3, 0, 3], [5, 0, 1, 0, 1, 20, 0, 0, 6, 2], [11, 2, 0, 5, 0, 2, 3, 0, 5, 9], [13, 0, 0, 5, 0, 0, 0, 17, 0, 1], [13, 0, 0, 3, 3, 4, 5, 6, 0, 2], [2, 0, 0, 7, 0, 0, 0, 0, 0, 27], [19, 0, 0, 0, 0, 0, 13, 4, 0, 0], [18, 0, 0, 2, 0, 0, 1, 0, 4, 10], [4, 8, 1, 13, 0, 0, 7, 1, 1, 1]]',0,1.79573170229579067228e+09,1.03620539000985445454e-01);
INSERT INTO "rounds" VALUES('4190e0e2',1,1,1.0178490097777,0.922373312097406,6.99164345403899711861e-01,1.06616560618082689693e+00,6.18055555555555580227e-01,'[0.5833333333333334, 0.9722222222222222, 0.9428571428571428, 0.972972972972973, 0.4166666666666667, 1.0, 1.0, 0.5, 0.0, 0.5833333333333334]','[[21, 0, 0, 1, 1, 5, 7, 0, 0, 1], [0, 35, 0, 0, 0, 0, 1, 0, 0, 0], [0, 1, 33, 1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 36, 0, 0, 0, 0, 0, 0], [0, 13, 0, 0, 15, 2, 6, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 8, 4, 3, 0, 3, 0, 18, 0, 0], [0, 17, 3, 9, 0, 5, 1, 0, 0, 0], [0, 6, 1, 8, 0, 0, 0, 0, 0, 21]]',2,1.79573170242837643626e+09,1.09711272998538333922e-01);
INSERT INTO "rounds" VALUES('2bdab92d',0,1,NULL,2.41716050171918528377e+00,1.28133704735376052763e-01,NULL,NULL,'[0.75, 0.0, 0.02857142857142857, 0.13513513513513514, 0.0, 0.1111111111111111, 0.0, 0.1111111111111111, 0.11428571428571428, 0.027777777777777776]','[[27, 0, 0, 3, 4, 0, 0, 0, 0, 2], [22, 0, 0, 2, 0, 6, 0, 3, 0, 3], [5, 0, 1, 0, 1, 20, 0, 0, 6, 2], [11, 2, 0, 5, 0, 2, 3, 0, 5, 9], [13, 0, 0, 5, 0, 0, 0, 17, 0, 1], [13, 0, 0, 3, 3, 4, 5, 6, 0, 2], [2, 0, 0, 7, 0, 0, 0, 0, 0, 27], [19, 0, 0, 0, 0, 0, 13, 4, 0, 0], [18, 0, 0, 2, 0, 0, 1, 0, 4, 10], [4, 8, 1, 13, 0, 0, 7, 1, 1, 1]]',0,1.79573170263634872443e+09,2.25671589978446718305e-02);
INSERT INTO "rounds" VALUES('2bdab92d',1,1,4.72477405357459134815e-01,4.81208312478238142695e-01,0.83008356545961,5.43014420403374553636e-01,7.98611111111111160454e-01,'[0.6944444444444444, 0.9722222222222222, 0.9714285714285714, 0.9459459459459459, 0.8888888888888888, 1.0, 1.0, 0.4166666666666667, 0.4857142857142857, 0.9166666666666666]','[[25, 0, 0, 0, 1, 5, 3, 0, 0, 2], [0, 35, 0, 0, 0, 0, 1, 0, 0, 0], [0, 1, 34, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 35, 0, 1, 0, 0, 0, 0], [0, 3, 0, 0, 32, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 0, 4, 6, 7, 2, 0, 15, 1, 1], [0, 7, 1, 5, 0, 3, 0, 0, 17, 2], [0, 1, 0, 1, 0, 1, 0, 0, 0, 33]]',2,1.79573170267265772815e+09,1.3635132600029464811e-01);
INSERT INTO "rounds" VALUES('2bdab92d',2,1,1.45577872432058191831e-01,2.14683575218434452569e-01,9.38718662952646276664e-01,2.82549566692776144005e-01,9.23611111111111160454e-01,'[0.9722222222222222, 0.9722222222222222, 0.9714285714285714, 0.972972972972973, 0.9166666666666666, 1.0, 1.0, 0.9444444444444444, 0.6857142857142857, 0.9444444444444444]','[[35, 0, 0, 0, 0, 1, 0, 0, 0, 0], [0, 35, 0, 0, 0, 0, 1, 0, 0, 0], [0, 1, 34, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 36, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 33, 0, 2, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 34, 0, 1], [0, 3, 1, 1, 0, 3, 0, 0, 24, 3], [0, 1, 0, 1, 0, 0, 0, 0, 0, 34]]',2,1.79573170281003522872e+09,1.77529693999531446024e-01);
CREATE TABLE run_clients (
	run_id TEXT NOT NULL, 
	client_id TEXT NOT NULL, 
	partition BIGINT NOT NULL, 
	PRIMARY KEY (run_id, client_id)
);
INSERT INTO "run_clients" VALUES('75da4da2','client-1',0);
INSERT INTO "run_clients" VALUES('75da4da2','client-2',1);
INSERT INTO "run_clients" VALUES('4190e0e2','client-1',0);
INSERT INTO "run_clients" VALUES('4190e0e2','client-2',1);
INSERT INTO "run_clients" VALUES('2bdab92d','client-1',0);
INSERT INTO "run_clients" VALUES('2bdab92d','client-2',1);
CREATE TABLE run_internals (
	run_id TEXT NOT NULL, 
	secret BLOB NOT NULL, 
	num_partitions BIGINT, 
	PRIMARY KEY (run_id)
);
INSERT INTO "run_internals" VALUES('75da4da2',X'FAF7A9753D53AC00D65485FC70788FBDA5860AFEB8D643808249127404ECF589',2);
INSERT INTO "run_internals" VALUES('4190e0e2',X'9EDC1720A8F99ACEE6734DA4FA740F013A4B9E97B69B423BABFC55387E697BCB',2);
INSERT INTO "run_internals" VALUES('2bdab92d',X'F7FEBA250CAE7DCE6E5C6F7DB02528B08932760A13ACE9B3A872693885CAFA91',2);
CREATE TABLE runs (
	id TEXT NOT NULL, 
	added_seq BIGINT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT, 
	spec JSON NOT NULL, 
	round BIGINT NOT NULL, 
	num_rounds BIGINT, 
	clients JSON NOT NULL, 
	created_at DOUBLE NOT NULL, 
	started_at DOUBLE, 
	finished_at DOUBLE, 
	final JSON, 
	error TEXT, 
	classes JSON NOT NULL, 
	can_resume BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('75da4da2',2,'completed',NULL,'{"app": null, "run_config": {}, "dataset": "digits", "model": "linear", "num_rounds": 3, "min_clients": 2, "num_partitions": null, "strategy": "fedavg", "strategy_params": {}, "local_epochs": 1, "batch_size": 32, "lr": 0.05, "alpha": 0.5, "seed": 7, "fraction_train": 1.0, "fraction_evaluate": 1.0, "round_timeout_s": null, "min_replies": 1, "min_reply_share": 0.0, "keep_checkpoints": 3}',3,3,'["client-1", "client-2"]',1.79573165834783673284e+09,1.79573170153606867785e+09,1.79573170220446634288e+09,'{"loss": 0.2551245729239206, "accuracy": 0.9415041782729805}',NULL,'["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]',0);
INSERT INTO "runs" VALUES('4190e0e2',106,'stopped','stopped by request','{"app": null, "run_config": {}, "dataset": "digits", "model": "linear", "num_rounds": 500, "min_clients": 2, "num_partitions": null, "strategy": "fedprox", "strategy_params": {}, "local_epochs": 1, "batch_size": 32, "lr": 0.05, "alpha": 0.5, "seed": 7, "fraction_train": 1.0, "fraction_evaluate": 1.0, "round_timeout_s": null, "min_replies": 1, "min_reply_share": 0.0, "keep_checkpoints": 3}',2,500,'["client-1", "client-2"]',1.79573170224242019648e+09,1.79573170240200901031e+09,1.79573170261494612694e+09,'{"loss": 0.922373312097406, "accuracy": 0.6991643454038997}',NULL,'["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]',0);
INSERT INTO "runs" VALUES('2bdab92d',155,'running',NULL,'{"app": null, "run_config": {}, "dataset": "digits", "model": "linear", "num_rounds": 40, "min_clients": 2, "num_partitions": null, "strategy": "fedavg", "strategy_params": {}, "local_epochs": 3, "batch_size": 32, "lr": 0.05, "alpha": 0.5, "seed": 7, "fraction_train": 1.0, "fraction_evaluate": 1.0, "round_timeout_s": null, "min_replies": 1, "min_reply_share": 0.0, "keep_checkpoints": 3}',3,40,'["client-1", "client-2"]',1.79573170262034106253e+09,1.7957317026626434326e+09,NULL,'{"loss": 0.21468357521843445, "accuracy": 0.9387186629526463}',NULL,'["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]',0);
CREATE INDEX ix_events_run_id_seq ON events (run_id, seq);
CREATE INDEX ix_logs_level_seq ON logs (level, seq);
CREATE INDEX ix_logs_source_seq ON logs (source, seq);
CREATE INDEX ix_logs_run_id_seq ON logs (run_id, seq);
COMMIT;
